/// Waits a moment before a test looks again at what another process does.
///
/// Whoever looks without a pause takes the processor from those that he waits for.
package func pauseBetweenLooks() async { try? await Task.sleep(for: .milliseconds(5)) }
