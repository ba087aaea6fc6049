package dev.guardedby.circuitbreaker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordedFrame;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Crowds of virtual threads on a few breakers pin no carrier thread in code of ours, by what the flight recorder saw.
 *
 * <p>Compiled for Java 17, which has no virtual threads, hence the reflection.
 */
final class VirtualThreadsTest {
    private static final int THREADS = 10_000;
    private static final int CALLS_OF_A_THREAD = 5;

    @TempDir
    private Path folder;

    @BeforeAll
    static void machineHasVirtualThreads() {
        int java = Runtime.version().feature();
        if (java < 21) {
            System.out.println("Skipped VirtualThreadsTest: virtual threads came with Java 21, this is Java " + java);
        }
        assumeTrue(java >= 21);
    }

    @Test
    void crowdOfCallers_pinsNoCarrier() throws Exception {
        initializeOurClasses();
        // And the classes of the JDK that they use, such as those that format numbers.
        List<RecordedEvent> unused = pinnedDuring(threads -> crowd(threads, THREADS / 10, breakers()));

        List<CircuitBreaker> breakers = breakers();
        List<RecordedEvent> pinned = pinnedDuring(threads -> crowd(threads, THREADS, breakers));

        for (CircuitBreaker breaker : breakers) {
            CircuitBreakerStats stats = breaker.stats();
            assertThat(stats.totalSuccesses() + stats.totalFailures() + stats.totalIgnored() + stats.totalRejected())
                    .as(breaker.name())
                    .isEqualTo((long) THREADS * CALLS_OF_A_THREAD);
        }
        assertThat(pinned).filteredOn(VirtualThreadsTest::isOurs).isEmpty();
    }

    private static void crowd(ExecutorService threads, int size, List<CircuitBreaker> breakers) {
        for (int i = 0; i < size; i++) {
            int seed = i;
            threads.execute(() -> {
                for (int call = 0; call < CALLS_OF_A_THREAD; call++) {
                    for (CircuitBreaker breaker : breakers) {
                        oneCall(breaker, seed + call);
                    }
                }
            });
        }
    }

    /** What the other test relies on: a class initializer pins in every version, and the recorder tells where. */
    @Test
    void pinnedThread_isSeen() throws Exception {
        List<RecordedEvent> pinned = pinnedDuring(threads ->
                threads.execute(() -> assertThat(ParksWhileInitialized.done).isTrue()));

        assertThat(pinned)
                .anyMatch(event -> frames(event).stream()
                        .anyMatch(frame ->
                                frame.getMethod().getType().getName().equals(ParksWhileInitialized.class.getName())));
    }

    private static List<CircuitBreaker> breakers() {
        return List.of(
                shortWaits("consecutive").build(),
                shortWaits("count-window").failureRateThreshold(90).build(),
                shortWaits("time-window")
                        .failureRateThreshold(90)
                        .window(Duration.ofMillis(100))
                        .build(),
                shortWaits("slow-calls")
                        .slowCallDuration(Duration.ofMillis(1))
                        .slowCallRateThreshold(90)
                        .build(),
                shortWaits("ramp-up").rampUp(Duration.ofMillis(5)).build(),
                shortWaits("backoff")
                        .recoveryBackoffMultiplier(2)
                        .probes(3)
                        .successesToClose(2)
                        .listener(new CircuitBreakerListener() {})
                        .build());
    }

    private static CircuitBreaker.Builder shortWaits(String name) {
        return CircuitBreaker.builder(name)
                .recoveryTimeout(Duration.ofNanos(100_000))
                .ignoreExceptions(IllegalArgumentException.class);
    }

    private static void oneCall(CircuitBreaker breaker, int kind) {
        try {
            switch (kind % 8) {
                case 0, 1 ->
                    breaker.run(() -> {
                        throw new IOException("down");
                    });
                case 2 ->
                    breaker.run(() -> {
                        throw new IllegalArgumentException("the caller's fault");
                    });
                case 3 -> {
                    Optional<Permit> permit = breaker.tryAcquire();
                    LockSupport.parkNanos(1_000);
                    permit.ifPresent(Permit::success);
                }
                case 4 ->
                    assertThat(breaker.callAsync(() -> CompletableFuture.completedFuture("answer")))
                            .isDone();
                case 5 -> breaker.run(() -> LockSupport.parkNanos(2_000_000));
                default -> breaker.run(Thread::yield);
            }
        } catch (CallNotPermittedException | IOException | IllegalArgumentException expected) {
            // The breaker has counted it, which is what is compared at the end.
        }
    }

    private List<RecordedEvent> pinnedDuring(Work work) throws Exception {
        Path file = Files.createTempFile(folder, "pinned", ".jfr");
        try (Recording recording = new Recording()) {
            recording
                    .enable("jdk.VirtualThreadPinned")
                    .withThreshold(Duration.ZERO)
                    .withStackTrace();
            recording.start();
            ExecutorService threads = (ExecutorService)
                    Executors.class.getMethod("newVirtualThreadPerTaskExecutor").invoke(null);
            work.on(threads);
            threads.shutdown();
            assertThat(threads.awaitTermination(2, TimeUnit.MINUTES))
                    .as("all threads ended")
                    .isTrue();
            recording.stop();
            recording.dump(file);
        }
        return RecordingFile.readAllEvents(file);
    }

    /**
     * Whether code of ours pinned. Whoever is the first to use a class has it loaded, and that pins in every version: what
     * the class loader does on top of us is not ours.
     */
    private static boolean isOurs(RecordedEvent event) {
        for (RecordedFrame frame : frames(event)) {
            String type = frame.getMethod().getType().getName();
            if (type.equals(ClassLoader.class.getName())) {
                return false;
            }
            if (type.startsWith(CircuitBreaker.class.getPackageName() + ".")
                    && !type.startsWith(VirtualThreadsTest.class.getName())) {
                return true;
            }
        }
        return false;
    }

    /** So that no thread of the crowd has to wait until another one has initialized a class. */
    private static void initializeOurClasses() throws Exception {
        Path classes = Path.of(CircuitBreaker.class
                .getProtectionDomain()
                .getCodeSource()
                .getLocation()
                .toURI());
        try (Stream<Path> files = Files.walk(classes)) {
            for (Path file :
                    (Iterable<Path>) files.filter(path -> path.toString().endsWith(".class"))::iterator) {
                String name = classes.relativize(file).toString().replace(File.separatorChar, '.');
                Class<?> unused = Class.forName(name.substring(0, name.length() - ".class".length()));
            }
        }
    }

    private static List<RecordedFrame> frames(RecordedEvent event) {
        return event.getStackTrace() == null ? List.of() : event.getStackTrace().getFrames();
    }

    private interface Work {
        void on(ExecutorService threads);
    }

    private static final class ParksWhileInitialized {
        static boolean done;

        static {
            LockSupport.parkNanos(1_000_000);
            done = true;
        }
    }
}
