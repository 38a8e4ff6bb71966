import Synchronization

/// A value that a closure hands to the test around it.
package final class LockedBox<Value: Sendable>: Sendable {
    private let value: Mutex<Value>

    /// Creates the box.
    package init(_ value: Value) {
        self.value = Mutex(value)
    }

    /// Replaces the value.
    package func set(_ new: Value) { value.withLock { $0 = new } }

    /// The present value.
    package func get() -> Value { value.withLock { $0 } }

    /// Changes the value in place.
    package func update<Result: Sendable>(_ change: (inout Value) -> Result) -> Result {
        value.withLock { value in change(&value) }
    }
}
