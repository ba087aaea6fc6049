package dev.guardedby.circuitbreaker;

import java.time.Duration;
import java.util.Random;

/** A way to set up a breaker, lengths in nanoseconds. */
record RandomSetup(
        int threshold, int probes, int needed, long recovery, long lease, Mode mode, long origin, boolean listened) {
    static final long TEN_YEARS = Duration.ofDays(3650).toNanos();
    private static final long[] LENGTHS = {1, 2, 10, 1_000, 1_000_000_000L, 60_000_000_000L, 300_000_000_000L, TEN_YEARS
    };
    private static final long[] ORIGINS = {0, -1, Long.MAX_VALUE - 5, Long.MIN_VALUE + 3};

    static RandomSetup random(Random random) {
        int probes = 1 + random.nextInt(4);
        return new RandomSetup(
                1 + random.nextInt(6),
                probes,
                1 + random.nextInt(probes),
                LENGTHS[random.nextInt(LENGTHS.length)],
                LENGTHS[random.nextInt(LENGTHS.length)],
                // Mostly enforced: that is where there is most to get wrong.
                random.nextInt(3) > 0
                        ? Mode.ENFORCE
                        : RandomOperation.MODES.get(random.nextInt(RandomOperation.MODES.size())),
                ORIGINS[random.nextInt(ORIGINS.length)],
                random.nextBoolean());
    }
}
