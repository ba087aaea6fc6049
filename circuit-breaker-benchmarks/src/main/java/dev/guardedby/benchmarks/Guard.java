package dev.guardedby.benchmarks;

/** A library's breaker around the work, as its users would call it. */
interface Guard {
    Object call(Work work) throws Exception;

    /** Whether that is how the library refuses a call. */
    boolean isRefusal(Exception thrown);
}
