import CLinux

/// What the C library keeps of memory that was freed, in case it is asked for more.
package enum Heap {
    /// Lets threads share what they free: one store of it for every four cores, instead of one for each thread.
    ///
    /// Chunks are made by one thread and freed by another, so that every store grows to what all of them need. Works only
    /// before there are other threads.
    package static func share(cores: Int) {
        _ = mallopt(Int32(CLINUX_MALLOC_ARENAS), Int32(clamping: max(1, cores / 4)))
    }

    /// Gives it back to the system; blocking, milliseconds for each 100 MB.
    ///
    /// Worth it between the steps of a pass: lists of 200,000 files come and go, and hours may lie between.
    package static func giveBack() { _ = malloc_trim(0) }
}
