package dev.guardedby.circuitbreaker;

/** The last so many results. */
final class CountWindow extends Window {
    private final int size;
    private final Positions failed = new Positions();
    private final Positions slowed = new Positions();
    private long failures;

    CountWindow(int size, Engine engine) {
        super(engine);
        this.size = size;
    }

    @Override
    boolean readsClock() {
        return false;
    }

    @Override
    boolean fits(Settings settings) {
        return settings.hasRateRule() && settings.windowLength == null && settings.windowCalls == size;
    }

    @Override
    void add(boolean isFailure, boolean isSlow, long now) {
        if (isFailure) {
            failures++;
            failed.add(position());
        }
        if (isSlow) {
            slowed.add(position());
        }
    }

    @Override
    void turnTo(long now) {}

    @Override
    Counts counts() {
        long position = position();
        long outside = position - size;
        long calls = Math.min(position, size);
        // Slow calls that returned at once may have entered at one position.
        return new Counts(
                calls, Math.min(calls, failed.countAfter(outside)), Math.min(calls, slowed.countAfter(outside)));
    }

    /** The position of the latest among all results of the window's life, the first being 1. */
    private long position() {
        return successes() + failures;
    }

    /** Positions of the results that raise a rate, ascending: those that left the window are dropped. */
    private static final class Positions {
        private static final long[] NONE = {};

        private long[] ring = NONE;
        private int first;
        private int count;

        void add(long position) {
            if (count == ring.length) {
                long[] larger = new long[Math.max(8, 2 * count)];
                for (int i = 0; i < count; i++) {
                    larger[i] = ring[(first + i) % count];
                }
                ring = larger;
                first = 0;
            }
            ring[(first + count) % ring.length] = position;
            count++;
        }

        int countAfter(long outside) {
            while (count > 0 && ring[first] <= outside) {
                first = (first + 1) % ring.length;
                count--;
            }
            return count;
        }
    }
}
