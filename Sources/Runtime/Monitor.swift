import Glibc

/// A value protected by a mutex, with a condition variable for waiting until it changes.
///
/// Uses pthreads because ThreadSanitizer understands them; it reports false races for the standard library's
/// `Mutex`.
///
/// `@unchecked Sendable`: `value` is accessed only while the mutex is held.
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

  /// Reads or changes the value, then wakes all waiting threads.
  package func withLock<Result>(_ body: (inout Value) -> Result) -> Result {
    withLock(when: { _ in true }, perform: body)
  }

  /// Waits until the value satisfies `condition`, reads or changes it, then wakes all waiting threads.
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
