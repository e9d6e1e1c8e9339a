/// The field here that corresponds to a key in configurations of other programs.
package struct FieldHint {
  /// The name of the field, or nil if there is none.
  let key: String?
  /// A remark for the message, or nil.
  let note: String?

  /// The hint for the last word of a key; capitals, underscores and hyphens do not matter.
  static func find(_ word: String) -> FieldHint? { all[squeezed(word)] }

  /// A word as it is looked up: in lower case, without underscores and hyphens.
  package static func squeezed(_ word: String) -> String {
    String(String.UnicodeScalarView(word.unicodeScalars.filter { $0 != "_" && $0 != "-" }))
      .lowercased()
  }

  /// The text that follows an unknown key in a message.
  var text: String {
    guard let key else { return "; \(note ?? "there is no such field")" }
    return "; did you mean \(key)?" + (note.map { " (\($0))" } ?? "")
  }

  /// Names that other trainers use, separated by blanks, with the field here.
  package static let table: [(names: String, key: String?, note: String?)] = [
    ("random_seed manual_seed rng_seed global_seed seed_everything random_state", "seed", nil),

    ("dataset dataset_name data_name data_type", "data.kind", nil),
    (
      "data_dir data_path data_root data_folder dataset_dir dataset_path dataset_root train_dir",
      "data.root", nil
    ),
    ("val_split validation_split val_fraction val_ratio val_size", "data.validation", nil),
    ("num_images n_images dataset_size num_samples", "data.images", "of the synthetic set"),
    (
      "img_size image_size im_size resolution input_size", "data.side",
      "only for synthetic images"
    ),

    ("arch model_name model_type backbone", "model.architecture", nil),
    (
      "num_hiddens num_hidden n_hiddens n_hid hidden_dim hidden_channels hidden_size h_dim "
        + "hidden_dims", "model.hidden", nil
    ),
    (
      "num_residual_layers n_residual_layers n_res_layers num_res_layers n_res_block n_res_blocks "
        + "num_res_blocks num_residual_blocks", "model.residual_layers", nil
    ),
    (
      "num_residual_hiddens n_residual_hiddens num_residual_hidden res_h_dim res_hidden "
        + "n_res_channel n_res_channels num_residual_channels", "model.residual_hidden", nil
    ),
    ("ch_mult channel_multipliers block_out_channels num_channels", "model.widths", nil),
    ("layers_per_block", "model.blocks", nil),
    ("norm_num_groups num_groups", "model.groups", nil),

    ("use_ema quantizer_type vq_type vq_mode", "quantizer.kind", nil),
    (
      "num_embeddings n_embeddings n_embed n_embs n_e num_codes n_codes num_codewords "
        + "num_vq_embeddings codebook num_tokens", "quantizer.codebook_size", nil
    ),
    (
      "embedding_dim embed_dim emb_dim e_dim code_dim codebook_dim vq_embed_dim latent_dim "
        + "latent_channels z_dim z_channels", "quantizer.dimension", nil
    ),
    (
      "commitment_cost commitment_weight commitment_loss_weight commitment_beta commit_weight beta "
        + "vq_beta", "quantizer.commitment", nil
    ),
    ("gamma ema_decay vq_decay codebook_decay", "quantizer.decay", nil),
    ("eps ema_epsilon", "quantizer.epsilon", nil),
    ("fsq_levels quantizer_levels num_levels", "quantizer.levels", nil),
    (
      "entropy_weight entropy_loss_weight entropy_loss_ratio entropy_ratio", "quantizer.entropy",
      nil
    ),
    ("diversity_gamma", "quantizer.diversity", nil),
    ("codebook_init embedding_init kmeans_init", "quantizer.init", nil),

    (
      "epochs epoch num_epochs n_epochs max_epochs train_epochs num_train_epochs total_epochs",
      "training.steps", "epochs times training images over training.batch_size"
    ),
    (
      "max_steps num_steps n_steps total_steps train_steps max_train_steps num_train_steps "
        + "iterations num_iterations n_iterations max_iterations iters max_iters num_iters n_iters "
        + "num_updates n_updates num_training_updates training_steps", "training.steps", nil
    ),
    (
      "batch bs batchsize train_batch_size per_device_train_batch_size mini_batch_size minibatch "
        + "batch_size_train", "training.batch_size", nil
    ),
    (
      "lr base_lr base_learning_rate max_lr peak_lr init_lr initial_lr", "training.learning_rate",
      nil
    ),
    (
      "lr_schedule lr_scheduler lr_scheduler_type scheduler scheduler_type", "training.schedule",
      nil
    ),
    (
      "warmup num_warmup_steps lr_warmup_steps warmup_iters warmup_iterations",
      "training.warmup_steps", nil
    ),
    (
      "warmup_epochs", "training.warmup_steps",
      "epochs times training images over training.batch_size"
    ),
    ("min_lr lr_min end_lr final_lr lr_end eta_min", "training.final_learning_rate", nil),
    ("wd l2 adam_weight_decay", "training.weight_decay", nil),
    (
      "clip grad_clip gradient_clip gradient_clip_val clip_grad clip_grad_norm grad_clip_norm "
        + "max_grad_norm max_norm", "training.clip_norm", nil
    ),
    ("recon_loss reconstruction_loss loss_type loss_fn", "training.reconstruction", nil),
    (
      "workers num_workers n_workers num_threads n_threads num_cpus n_jobs",
      "training.threads", nil
    ),
    (
      "save_every save_steps save_interval save_freq checkpoint_interval checkpoint_freq ckpt_every "
        + "ckpt_interval checkpointing_steps", "training.checkpoint_every", nil
    ),
    (
      "eval_every eval_steps eval_interval eval_freq val_every val_interval val_steps "
        + "val_check_interval validation_steps validation_interval test_every",
      "training.validate_every", nil
    ),
    (
      "log_interval log_steps log_freq logging_steps print_every print_freq print_interval",
      "training.log_every", nil
    ),

    (
      "out out_dir out_folder output_dir output_path output_folder save_dir save_path "
        + "save_folder log_dir run_dir results_dir result_dir work_dir ckpt_dir "
        + "checkpoint_dir exp_dir experiment_dir", "output.folder", nil
    ),

    (
      "optimizer optim optimizer_type", nil,
      "there is one optimizer, Adam; training.weight_decay makes it AdamW"
    ),
    (
      "device devices gpu gpus gpu_id cuda use_cuda accelerator", nil,
      "training runs on the processor, on training.threads of them"
    ),
    (
      "precision dtype amp use_amp fp16 bf16 mixed_precision", nil,
      "all computation uses 32-bit floats"
    ),
  ]

  private static let all: [String: FieldHint] = {
    var all: [String: FieldHint] = [:]
    for row in table {
      for name in row.names.split(separator: " ") {
        all[squeezed(String(name))] = FieldHint(key: row.key, note: row.note)
      }
    }
    return all
  }()
}
