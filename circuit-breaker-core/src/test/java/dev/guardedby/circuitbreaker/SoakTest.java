package dev.guardedby.circuitbreaker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.guardedby.circuitbreaker.Soaked.Tally;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.LockSupport;
import javax.management.JMException;
import javax.management.ObjectName;
import org.junit.jupiter.api.Test;

/**
 * Eight threads on breakers of every policy for a long time, in real time: no count drifts, no slot goes missing, nothing
 * grows, and nobody is thrown anything but a refusal.
 *
 * <p>Not part of the usual run: {@code mvn -Psoak -pl circuit-breaker-core test}. Every so often all threads stop and what
 * they have counted is compared with what the breakers have.
 */
final class SoakTest {
    private static final Duration LENGTH = Duration.parse(System.getProperty("soak.length", "PT10M"));
    private static final int THREADS = 8;
    private static final int STOPS = 20;
    /** The first stops, at which classes, profiles and stripes are still being made. */
    private static final int WARM_UP_STOPS = 4;
    // Of all that the virtual machine holds, itself and the test included; a period that leaked would be 100 B each
    // time.
    private static final long BYTES_OF_NOISE = 2_000_000;

    @Test
    void nothingDriftsGrowsOrSticks() throws Exception {
        List<Soaked> breakers = Soaked.ofEveryPolicy();
        Queue<Throwable> thrown = new ConcurrentLinkedQueue<>();
        List<SoakingThread> workers = new ArrayList<>();
        for (int i = 0; i < THREADS; i++) {
            workers.add(new SoakingThread(breakers, new Random(i), thrown));
        }
        List<Long> heap = new ArrayList<>();
        List<Long> objects = new ArrayList<>();
        long probing = 0;
        for (int stop = 0; stop < STOPS; stop++) {
            soak(workers, LENGTH.dividedBy(STOPS));
            assertThat(thrown).isEmpty();
            for (int i = 0; i < breakers.size(); i++) {
                Soaked soaked = breakers.get(i);
                Tally kept = tally(workers, i);
                soaked.assertCounts(kept);
                int at = i;
                workers.forEach(worker -> worker.endKept(at));
                Tally all = tally(workers, i);
                assertThat(all.underWay()).as(soaked.name()).isZero();
                soaked.assertCounts(all);
                probing += soaked.assertNoSlotIsMissing(all) ? 1 : 0;
                soaked.assertRecovers(all);
            }
            objects.add(objectsOfOurs());
            heap.add(usedHeap());
        }

        long calls = 0;
        for (int i = 0; i < breakers.size(); i++) {
            System.out.println("Soaked " + breakers.get(i).name() + " with " + tally(workers, i));
            calls += tally(workers, i).ended();
        }
        System.out.println("Soaked for " + LENGTH + " with " + calls + " calls; stops that found a breaker half-open: "
                + probing + "; used heap at the stops " + heap + "; objects of ours " + objects);
        assertThat(calls).isPositive();
        assertFlat("used heap in bytes", heap, BYTES_OF_NOISE);
        // A handful of objects each: its state, period, window and the transitions that it keeps.
        assertFlat("objects of ours", objects, 100L * breakers.size());
    }

    private static void soak(List<SoakingThread> workers, Duration length) throws InterruptedException {
        long start = System.nanoTime();
        List<Thread> threads = workers.stream()
                .map(worker -> new Thread(() -> worker.work(start, length.toNanos()), "soak"))
                .toList();
        threads.forEach(Thread::start);
        for (Thread thread : threads) {
            thread.join();
        }
    }

    private static Tally tally(List<SoakingThread> workers, int breaker) {
        Tally sum = new Tally();
        workers.forEach(worker -> sum.add(worker.tally(breaker)));
        return sum;
    }

    /** What it is at the end is within the noise of what it was after the warm-up. */
    private static void assertFlat(String what, List<Long> atStops, long noise) {
        List<Long> early = atStops.subList(WARM_UP_STOPS, (WARM_UP_STOPS + STOPS) / 2);
        List<Long> late = atStops.subList((WARM_UP_STOPS + STOPS) / 2, STOPS);
        long growth = least(late) - least(early);
        assertThat(growth).as("growth of %s over %s", what, atStops).isLessThan(noise);
    }

    private static long least(List<Long> values) {
        return values.stream().mapToLong(Long::longValue).min().orElseThrow();
    }

    private static long usedHeap() {
        for (int i = 0; i < 3; i++) {
            System.gc();
            LockSupport.parkNanos(20_000_000);
        }
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    }

    /** Living objects of the library, by the histogram of the heap; those of this test apart. */
    private static long objectsOfOurs() throws JMException {
        String histogram = (String) ManagementFactory.getPlatformMBeanServer()
                .invoke(
                        new ObjectName("com.sun.management:type=DiagnosticCommand"),
                        "gcClassHistogram",
                        new Object[] {new String[0]},
                        new String[] {String[].class.getName()});
        long objects = 0;
        for (String line : histogram.lines().toList()) {
            String[] columns = line.trim().split("\\s+", -1);
            if (columns.length >= 4
                    && columns[3].startsWith(CircuitBreaker.class.getPackageName() + ".")
                    && !columns[3].contains("Soak")) {
                objects += Long.parseLong(columns[1]);
            }
        }
        assertThat(objects).as("breakers at the least").isPositive();
        return objects;
    }
}
