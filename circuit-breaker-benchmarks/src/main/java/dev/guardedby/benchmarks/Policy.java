package dev.guardedby.benchmarks;

import java.time.Duration;

/** What makes a breaker trip; each library is given the nearest that it has. */
public enum Policy {
    /** Five failures in a row: GuardedBy as it is by default, and Failsafe set to it. */
    CONSECUTIVE("consecutive failures"),
    /** Half of the last {@link #WINDOW_CALLS} calls failed. */
    COUNT_WINDOW("failure rate, last 100 calls"),
    /** Half of the calls of the last {@link #WINDOW_TIME} failed. */
    TIME_WINDOW("failure rate, last 60 s"),
    /** Half of the calls in the window took longer than {@link #SLOW}. */
    SLOW_CALLS("slow-call rate");

    static final int WINDOW_CALLS = 100;
    static final Duration WINDOW_TIME = Duration.ofSeconds(60);
    static final int MINIMUM_CALLS = 20;
    static final int RATE_PERCENT = 50;
    static final Duration SLOW = Duration.ofSeconds(10);
    /** Longer than any run, so that what is open stays open. */
    static final Duration WAIT = Duration.ofHours(1);

    final String words;

    Policy(String words) {
        this.words = words;
    }
}
