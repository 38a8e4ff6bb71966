/// An error that another one led to.
package protocol CausedError: Error {
    var cause: (any Error)? { get }
}

/// The error and everything behind it, outermost first.
package func causes(of error: any Error) -> [any Error] {
    var chain = [error]
    // Errors are values and cannot hold themselves; the bound is for a foreign type that might.
    while chain.count < 32, let next = (chain.last as? any CausedError)?.cause { chain.append(next) }
    return chain
}
