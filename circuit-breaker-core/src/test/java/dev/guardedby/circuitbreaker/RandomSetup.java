package dev.guardedby.circuitbreaker;

import java.time.Duration;
import java.util.Random;

/**
 * A way to set up a breaker, lengths in nanoseconds; 0 is what nobody wrote.
 *
 * @param capTimes the longest wait, in first waits
 * @param windowLength 0 for a window of calls
 * @param slow when a call is slow, where there is a rate for those
 */
record RandomSetup(
        int threshold,
        int probes,
        int needed,
        long recovery,
        int multiplier,
        int capTimes,
        long lease,
        int failureRate,
        int slowRate,
        long slow,
        int windowCalls,
        long windowLength,
        int minimum,
        long rampUp,
        Mode mode,
        long origin,
        boolean listened) {
    static final long TEN_YEARS = Duration.ofDays(3650).toNanos();
    private static final long[] LENGTHS = {1, 2, 10, 1_000, 1_000_000_000L, 60_000_000_000L, 300_000_000_000L, TEN_YEARS
    };
    private static final long[] ORIGINS = {0, -1, Long.MAX_VALUE - 5, Long.MIN_VALUE + 3};
    private static final long[] WINDOWS = {1_000_000, 10_000_000_000L, 3_600_000_000_000L};
    private static final int DEFAULT_CAP_TIMES = 10;

    static RandomSetup random(Random random) {
        int probes = 1 + random.nextInt(4);
        int failureRate = random.nextBoolean() ? 0 : 20 + random.nextInt(81);
        int calls = 1 + random.nextInt(8);
        return new RandomSetup(
                failureRate > 0 && random.nextBoolean() ? 0 : 1 + random.nextInt(6),
                probes,
                1 + random.nextInt(probes),
                length(random.nextInt(LENGTHS.length)),
                1 + random.nextInt(3),
                random.nextInt(6),
                length(random.nextInt(LENGTHS.length)),
                failureRate,
                random.nextInt(3) > 0 ? 0 : 20 + random.nextInt(81),
                random.nextBoolean() ? 100_000 : 1_000_000_000L,
                calls,
                random.nextBoolean() ? 0 : WINDOWS[random.nextInt(WINDOWS.length)],
                1 + random.nextInt(calls),
                random.nextInt(3) > 0 ? 0 : LENGTHS[3 + random.nextInt(4)],
                // Mostly enforced: that is where there is most to get wrong.
                random.nextInt(3) > 0
                        ? Mode.ENFORCE
                        : RandomOperation.MODES.get(random.nextInt(RandomOperation.MODES.size())),
                ORIGINS[random.nextInt(ORIGINS.length)],
                random.nextBoolean());
    }

    private static long length(int pick) {
        return LENGTHS[pick % LENGTHS.length];
    }

    boolean hasRateRule() {
        return failureRate > 0 || slowRate > 0;
    }

    long cap() {
        int times = capTimes == 0 ? DEFAULT_CAP_TIMES : capTimes;
        return recovery > TEN_YEARS / times ? TEN_YEARS : recovery * times;
    }

    /** The wait after so many failed recoveries in a row. */
    long wait(int failedRecoveries) {
        long wait = recovery;
        for (int i = 0; i < failedRecoveries && wait < cap() && multiplier > 1; i++) {
            wait = wait > cap() / multiplier ? cap() : wait * multiplier;
        }
        return wait;
    }

    /** Other numbers for the same rules; a rule for slow calls looks at each admission, so its numbers stay. */
    RandomSetup changed(int pick, int detail) {
        boolean mayChangeRate = failureRate > 0 && slowRate == 0;
        int newProbes = detail % 5 == 0 ? 1 + pick % 4 : probes;
        int newCalls = mayChangeRate && detail % 5 == 1 ? 1 + pick % 8 : windowCalls;
        return new RandomSetup(
                threshold > 0 && detail % 5 == 2 ? 1 + pick % 6 : threshold,
                newProbes,
                1 + pick % newProbes,
                detail % 5 == 3 ? length(pick) : recovery,
                detail % 5 == 3 ? 1 + pick % 3 : multiplier,
                capTimes,
                detail % 5 == 4 ? length(pick) : lease,
                mayChangeRate && detail % 2 == 0 ? 20 + pick : failureRate,
                slowRate,
                slow,
                newCalls,
                mayChangeRate && detail % 7 == 0
                        ? (windowLength == 0 ? WINDOWS[pick % WINDOWS.length] : 0)
                        : windowLength,
                mayChangeRate ? 1 + pick % newCalls : minimum,
                rampUp,
                mode,
                origin,
                listened);
    }

    boolean hasSameWindow(RandomSetup other) {
        return windowLength == other.windowLength && (windowLength > 0 || windowCalls == other.windowCalls);
    }

    void describe(CircuitBreaker.Builder builder) {
        if (threshold > 0) {
            builder.failureThreshold(threshold);
        }
        builder.probes(probes)
                .successesToClose(needed)
                .recoveryTimeout(Duration.ofNanos(recovery))
                .recoveryBackoffMultiplier(multiplier)
                .recoveryJitter(0)
                .maxRecoveryTimeout(Duration.ofNanos(cap()))
                .probeTimeout(Duration.ofNanos(lease));
        if (failureRate > 0) {
            builder.failureRateThreshold(failureRate);
        }
        if (slowRate > 0) {
            builder.slowCallRateThreshold(slowRate).slowCallDuration(Duration.ofNanos(slow));
        }
        if (windowLength > 0) {
            builder.window(Duration.ofNanos(windowLength)).minimumCalls(minimum);
        } else {
            builder.window(windowCalls).minimumCalls(minimum);
        }
        if (rampUp > 0) {
            builder.rampUp(Duration.ofNanos(rampUp));
        }
    }
}
