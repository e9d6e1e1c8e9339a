import Glibc

/// A value behind a mutex, whose changes others can wait for.
///
/// On pthreads, which ThreadSanitizer follows; it reports the standard library's `Mutex` as races.
///
/// `@unchecked Sendable`: `value` is touched only while the mutex is held.
package final class Monitor<Value>: @unchecked Sendable {
  private var value: Value
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

  package init(_ value: Value) {
    self.value = value
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(changed, nil)
  }

  deinit {
    pthread_cond_destroy(changed)
    pthread_mutex_destroy(mutex)
    changed.deallocate()
    mutex.deallocate()
  }

  /// Changes or reads the value, and wakes whoever waits for a change.
  package func withLock<Result>(_ body: (inout Value) -> Result) -> Result {
    withLock(when: { _ in true }, perform: body)
  }

  /// Waits until the value satisfies `condition`, then changes or reads it.
  @discardableResult
  package func withLock<Result>(
    when condition: (Value) -> Bool, perform body: (inout Value) -> Result
  ) -> Result {
    pthread_mutex_lock(mutex)
    defer {
      pthread_cond_broadcast(changed)
      pthread_mutex_unlock(mutex)
    }
    while !condition(value) { pthread_cond_wait(changed, mutex) }
    return body(&value)
  }
}
