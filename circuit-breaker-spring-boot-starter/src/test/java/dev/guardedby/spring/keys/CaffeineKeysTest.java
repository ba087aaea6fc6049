package dev.guardedby.spring.keys;

import static org.assertj.core.api.Assertions.assertThat;

import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.CircuitBreakerRegistry;
import dev.guardedby.circuitbreaker.CircuitState;
import dev.guardedby.circuitbreaker.Mode;
import dev.guardedby.circuitbreaker.Permit;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;

/** Which breakers of keys are kept, and which are forgotten, on a clock that the test moves. */
@Timeout(120)
@ExtendWith(OutputCaptureExtension.class)
class CaffeineKeysTest {
    private static final Duration WAIT = Duration.ofSeconds(10);
    private static final int MOST = 10;

    // Near overflow, as the time of a ticker may be.
    private final long begin = Long.MAX_VALUE - 1_000;
    private final AtomicLong now = new AtomicLong(begin);
    private final LongAdder overflow = new LongAdder();
    private final CircuitBreaker llm = keyed(breaker());

    private CircuitBreaker.Builder breaker() {
        return CircuitBreaker.builder("llm")
                .failureThreshold(3)
                .recoveryTimeout(WAIT)
                .ticker(now::get);
    }

    private CircuitBreaker keyed(CircuitBreaker.Builder settings) {
        CircuitBreaker breaker = settings.build();
        breaker.keyedBy(new CaffeineKeys(breaker, MOST, now::get, overflow));
        return breaker;
    }

    private void advance(Duration step) {
        now.addAndGet(step.toNanos());
    }

    private static void fail(CircuitBreaker breaker, int times) {
        for (int i = 0; i < times; i++) {
            breaker.acquire().failure(new IOException("down"));
        }
    }

    /** So many calls, each with a key of its own that nobody has used before; they succeed. */
    private static void flood(CircuitBreaker breaker, int calls) {
        Random random = new Random();
        for (int i = 0; i < calls; i++) {
            breaker.forKey(Long.toHexString(random.nextLong())).run(() -> {});
        }
    }

    private static int kept(CircuitBreaker breaker) {
        return breaker.keys().orElseThrow().size();
    }

    /** Forgets what nobody holds. */
    private static void collect(CircuitBreaker of) {
        for (int i = 0; i < 100 && of.keys().orElseThrow().all().size() > kept(of); i++) {
            System.gc();
        }
    }

    @Test
    void idleKeys_areForgotten_whenThereAreTooMany() {
        flood(llm, 1_000);

        assertThat(kept(llm)).isEqualTo(MOST);
        collect(llm);
        assertThat(llm.keys().orElseThrow().all()).hasSizeLessThanOrEqualTo(MOST);
        assertThat(overflow.sum()).isZero();
        assertThat(llm.stats().totalSuccesses()).as("whatever is forgotten").isEqualTo(1_000);
    }

    @Test
    void idleKeys_areForgotten_whenNobodyCallsThemForAnHour() {
        CircuitBreaker counting = llm.forKey("counting");
        fail(counting, 1);
        llm.forKey("idle").run(() -> {});
        llm.forKey("called").run(() -> {});

        advance(Duration.ofMinutes(59));
        llm.forKey("called").run(() -> {});
        assertThat(kept(llm)).isEqualTo(3);
        advance(Duration.ofMinutes(2));
        assertThat(kept(llm)).as("counting, called").isEqualTo(2);
        advance(Duration.ofDays(30));
        assertThat(kept(llm)).as("counting, for there is room").isEqualTo(1);
        assertThat(llm.forKey("counting")).isSameAs(counting);
    }

    /** Whether there is room for a key that nobody has used before. */
    private String room() {
        boolean isShared = llm.forKey("new" + overflow.sum()).key().isEmpty();
        return Duration.ofNanos(now.get() - begin) + (isShared ? " full" : " room");
    }

    @Test
    void keysThatFailedAndNeverCameBack_giveTheirRoomToOthers() {
        for (int i = 0; i < MOST; i++) {
            fail(llm.forKey("madeUp" + i), 1);
        }
        List<String> story = new ArrayList<>();
        story.add(room());
        advance(Duration.ofMinutes(5));
        llm.forKey("madeUp0").acquire().ignore();
        story.add(room());
        advance(Duration.ofMinutes(5).minusNanos(1));
        story.add(room());
        advance(Duration.ofNanos(1));
        story.add(room());
        flood(llm, 1_000);
        assertThat(llm.forKey("madeUp0"))
                .as("called after five minutes")
                .hasToString("CircuitBreaker[name=llm, key=madeUp0, state=closed, failures=1/3]");

        advance(Duration.ofMinutes(10));
        for (int i = 0; i < MOST; i++) {
            fail(llm.forKey("next" + i), 1);
        }
        assertThat(IntStream.range(0, MOST).mapToObj(i -> llm.forKey("next" + i)))
                .extracting(CircuitBreaker::toString)
                .allMatch(text -> text.matches(".*key=next\\d, state=closed, failures=1/3]"));
        assertThat(kept(llm)).isEqualTo(MOST);
        assertThat(story).containsExactly("PT0S full", "PT5M full", "PT9M59.999999999S full", "PT10M room");
    }

    @Test
    void whatTimeMadeForgettable_isKeptAllTheSame_whileThereIsRoom() {
        fail(llm.forKey("acme"), 2);
        advance(Duration.ofMinutes(40));
        flood(llm, MOST / 2);
        collect(llm);

        fail(llm.forKey("acme"), 1);
        flood(llm, 1_000);
        assertThat(llm.forKey("acme")).hasToString("CircuitBreaker[name=llm, key=acme, state=open, failures=3/3]");
    }

    @Test
    void openKeys_areKeptForTenMinutesAfterTheirWait() {
        for (int i = 0; i < MOST; i++) {
            fail(llm.forKey("open" + i), 3);
        }
        List<String> story = new ArrayList<>();
        advance(Duration.ofMinutes(10));
        story.add(room());
        advance(WAIT.minusNanos(1));
        story.add(room());
        advance(Duration.ofNanos(1));
        story.add(room());

        assertThat(story).containsExactly("PT10M full", "PT10M9.999999999S full", "PT10M10S room");
    }

    @Test
    void whatAnOperatorMadeOfAKey_isNeverForgotten() {
        for (int i = 0; i < MOST; i++) {
            llm.forKey("held" + i).holdOpen();
        }
        advance(Duration.ofDays(30));
        assertThat(room()).isEqualTo("PT720H full");
        collect(llm);

        assertThat(IntStream.range(0, MOST).mapToObj(i -> llm.forKey("held" + i).state()))
                .containsOnly(CircuitState.OPEN);
        llm.reset();
        assertThat(room()).isEqualTo("PT720H room");
    }

    @Test
    void callInFlightForLongerThanAnythingMatters_stillCounts() {
        Permit last = llm.forKey("acme").acquire();
        fail(llm.forKey("acme"), 2);
        advance(Duration.ofHours(2));
        flood(llm, 1_000);
        System.gc();

        last.failure(new IOException("down"));
        flood(llm, 1_000);
        System.gc();
        assertThat(llm.forKey("acme")).hasToString("CircuitBreaker[name=llm, key=acme, state=open, failures=3/3]");
    }

    @Test
    void whoeverLooksAtAKey_keepsItNoLonger() {
        CircuitBreakerRegistry registry = CircuitBreakerRegistry.of(CircuitBreaker::builder);
        registry.add(llm);
        llm.forKey("idle").run(() -> {});
        advance(Duration.ofMinutes(59));
        assertThat(registry.find("llm", "idle")).isPresent();
        advance(Duration.ofMinutes(1));
        assertThat(kept(llm)).isZero();

        for (int i = 0; i < MOST; i++) {
            fail(llm.forKey("counting" + i), 1);
        }
        advance(Duration.ofMinutes(9));
        for (int i = 0; i < MOST; i++) {
            assertThat(registry.find("llm", "counting" + i)).isPresent();
        }
        assertThat(room()).isEqualTo("PT1H9M full");
        advance(Duration.ofMinutes(1));
        assertThat(room()).isEqualTo("PT1H10M room");
    }

    @Test
    void callPastTheBound_makesNoBreaker_andLooksAtAFewOfTheOthers() {
        AtomicInteger reads = new AtomicInteger();
        CircuitBreaker many = breaker()
                .ticker(() -> {
                    reads.incrementAndGet();
                    return now.get();
                })
                .build();
        CaffeineKeys keeper = new CaffeineKeys(many, 1_000, now::get, overflow);
        many.keyedBy(keeper);
        for (int i = 0; i < 1_000; i++) {
            fail(many.forKey("bad" + i), 1);
        }

        CircuitBreaker kept = keeper.keep("new", () -> {
            throw new AssertionError("made for nothing");
        });
        assertThat(kept).isSameAs(many);
        for (int i = 0; i < 100; i++) {
            reads.set(0);
            assertThat(many.forKey("new" + i)).isSameAs(many);
            assertThat(reads).as("two for each that is looked at").hasValueLessThanOrEqualTo(16);
        }
        advance(Duration.ofMinutes(10));
        reads.set(0);
        assertThat(many.forKey("new").key()).contains("new");
        assertThat(reads).hasValueLessThanOrEqualTo(20);
    }

    @Test
    void keysThatAreOpenOrCounting_surviveAnyFlood() {
        fail(llm.forKey("open"), 3);
        fail(llm.forKey("counting"), 2);
        fail(llm.forKey("probing"), 3);
        advance(WAIT);
        Permit probe = llm.forKey("probing").acquire();
        llm.forKey("operated").mode(Mode.OBSERVE);
        llm.forKey("held").holdOpen();

        flood(llm, 1_000);
        collect(llm);

        assertThat(List.of("open", "counting", "probing", "operated", "held"))
                .extracting(key -> llm.forKey(key) + " " + llm.forKey(key).mode())
                .containsExactly(
                        "CircuitBreaker[name=llm, key=open, state=open, failures=3/3] ENFORCE",
                        "CircuitBreaker[name=llm, key=counting, state=closed, failures=2/3] ENFORCE",
                        "CircuitBreaker[name=llm, key=probing, state=half_open, failures=3/3] ENFORCE",
                        "CircuitBreaker[name=llm, key=operated, state=closed, failures=0/3] OBSERVE",
                        "CircuitBreaker[name=llm, key=held, state=open, failures=0/3] ENFORCE");
        assertThat(kept(llm)).isEqualTo(MOST);
        probe.success();
        assertThat(llm.forKey("probing").state()).isEqualTo(CircuitState.CLOSED);
    }

    @Test
    void callInFlightAcrossAFlood_stillCounts() {
        Permit first = llm.forKey("acme").acquire();
        Permit second = llm.forKey("acme").acquire();
        Permit third = llm.forKey("acme").acquire();
        flood(llm, 1_000);
        System.gc();

        first.failure(new IOException("down"));
        flood(llm, 1_000);
        second.failure(new IOException("down"));
        assertThat(llm.forKey("acme")).hasToString("CircuitBreaker[name=llm, key=acme, state=closed, failures=2/3]");
        third.failure(new IOException("down"));

        flood(llm, 1_000);
        System.gc();
        assertThat(llm.forKey("acme")).hasToString("CircuitBreaker[name=llm, key=acme, state=open, failures=3/3]");
    }

    @Test
    void handleThatSomebodyHolds_isTheBreakerOfItsKey_howeverManyCome() {
        CircuitBreaker handle = llm.forKey("acme");
        for (int i = 0; i < 20; i++) {
            flood(llm, 100);
            System.gc();
            assertThat(llm.forKey("acme")).isSameAs(handle);
        }
    }

    @Test
    void whenAllRemember_furtherKeysShareTheBreakerOfTheName_untilThereIsRoom(CapturedOutput output) {
        for (int i = 0; i < MOST; i++) {
            fail(llm.forKey("bad" + i), 3);
        }
        assertThat(kept(llm)).isEqualTo(MOST);

        fail(llm.forKey("new"), 1);
        fail(llm.forKey("other"), 2);
        assertThat(llm).hasToString("CircuitBreaker[name=llm, state=open, failures=3/3]");
        assertThat(llm.forKey("another").tryAcquire())
                .as("cut off with the others")
                .isEmpty();
        assertThat(overflow.sum()).isEqualTo(3);
        assertThat(kept(llm)).isEqualTo(MOST);
        assertThat(output.getOut().lines().filter(line -> line.contains("max-keys")))
                .singleElement()
                .asString()
                .contains("WARN")
                .endsWith("Circuit breaker 'llm' keeps 10 keys that are open or counting failures, as many as max-keys"
                        + " allows: until there is room again, calls with further keys share the breaker of the name. If"
                        + " these are no made-up keys, raise guardedby.breakers.llm.max-keys; to forget what they"
                        + " remember, reset the breaker. Further such calls are counted in guardedby.keys.overflow and"
                        + " not logged.");

        advance(WAIT);
        llm.forKey("bad0").run(() -> {});
        assertThat(llm.forKey("new")).hasToString("CircuitBreaker[name=llm, key=new, state=closed, failures=0/3]");
        assertThat(kept(llm)).isEqualTo(MOST);
        llm.reset();
        flood(llm, 1_000);
        assertThat(overflow.sum()).isEqualTo(3);
        assertThat(kept(llm)).isEqualTo(MOST);
    }

    @Test
    void healthyKeyThatLosesItsPlace_isNotGivenAnothersPast() {
        for (int i = 0; i < MOST; i++) {
            fail(llm.forKey("bad" + i), 1);
        }

        llm.forKey("healthy").run(() -> {});
        assertThat(llm).hasToString("CircuitBreaker[name=llm, state=closed, failures=0/3]");
        llm.forKey("bad3").run(() -> {});
        assertThat(llm.forKey("healthy").key()).contains("healthy");
    }

    @Test
    void windowThatTimeHasEmptied_makesRoom() {
        CircuitBreaker rated =
                keyed(breaker().failureThreshold(50).failureRateThreshold(90).window(Duration.ofSeconds(60)));
        for (int i = 0; i < MOST; i++) {
            fail(rated.forKey("key" + i), 1);
            rated.forKey("key" + i).run(() -> {});
        }
        assertThat(rated.forKey("new")).as("no room").isSameAs(rated);

        advance(Duration.ofSeconds(62));
        assertThat(rated.forKey("new").key()).contains("new");
    }

    @Test
    void moreThatFailAtOnceThanMayBeKept_takeNoMoreRoom() {
        List<Permit> permits = IntStream.range(0, 5 * MOST)
                .mapToObj(i -> llm.forKey("key" + i).acquire())
                .toList();
        assertThat(kept(llm)).isEqualTo(MOST);

        permits.forEach(permit -> permit.failure(new IOException("down")));

        assertThat(kept(llm)).isEqualTo(MOST);
        permits = List.of();
        collect(llm);
        assertThat(llm.keys().orElseThrow().all()).hasSize(MOST);
        assertThat(permits).isEmpty();
    }

    @Test
    void reconfigureDuringTheCreationOfKeys_reachesEachOfThem() throws Exception {
        AtomicBoolean done = new AtomicBoolean();
        ExecutorService threads = Executors.newFixedThreadPool(2);
        CircuitBreaker many = breaker().build();
        many.keyedBy(new CaffeineKeys(many, 1_000, now::get, overflow));
        try {
            Future<Integer> made = threads.submit(() -> {
                int keys = 0;
                while (!done.get() && keys < 1_000) {
                    many.forKey("key" + keys++);
                }
                return keys;
            });
            for (int i = 1; i <= 100; i++) {
                int threshold = i;
                many.reconfigure(change -> change.failureThreshold(threshold));
            }
            many.mode(Mode.OBSERVE);
            done.set(true);
            int keys = made.get(60, TimeUnit.SECONDS);

            assertThat(IntStream.range(0, keys).mapToObj(i -> many.forKey("key" + i)))
                    .allMatch(key -> key.failureThreshold() == 100 && key.mode() == Mode.OBSERVE);
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    void manyThreadsOnFewKeys_neverMeetTwoBreakersOfOne_norKeepMoreThanAllowed() throws Exception {
        int crowd = 4;
        CyclicBarrier start = new CyclicBarrier(crowd);
        ExecutorService threads = Executors.newFixedThreadPool(crowd);
        List<Future<Integer>> calls = new ArrayList<>();
        try {
            for (int thread = 0; thread < crowd; thread++) {
                Random random = new Random(thread);
                calls.add(threads.submit(() -> {
                    start.await(60, TimeUnit.SECONDS);
                    int worst = 0;
                    for (int i = 0; i < 5_000; i++) {
                        String key = "key" + random.nextInt(3 * MOST);
                        CircuitBreaker breaker = llm.forKey(key);
                        Permit permit = breaker.tryAcquire().orElse(null);
                        if (breaker.key().isPresent()) {
                            assertThat(llm.forKey(key)).isSameAs(breaker);
                        }
                        if (permit != null && random.nextInt(3) == 0) {
                            permit.failure(new IOException("down"));
                        } else if (permit != null) {
                            permit.success();
                        } else if (random.nextInt(20) == 0) {
                            breaker.reset();
                        }
                        worst = Math.max(worst, kept(llm));
                    }
                    return worst;
                }));
            }
            for (Future<Integer> worst : calls) {
                // One more for each thread that is between counting a place and taking it.
                assertThat(worst.get(60, TimeUnit.SECONDS)).isBetween(MOST, MOST + crowd);
            }
        } finally {
            threads.shutdownNow();
        }
        llm.reset();
        llm.forKey("key0").run(() -> {});
        flood(llm, 1_000);
        assertThat(kept(llm)).isEqualTo(MOST);
        assertThat(llm.keys().orElseThrow().all()).allMatch(CircuitBreaker::isIdle);
        for (int i = 0; i < MOST; i++) {
            fail(llm.forKey("last" + i), 1);
        }
        assertThat(kept(llm)).as("each place was given back once").isEqualTo(MOST);
        assertThat(llm.forKey("too many")).isSameAs(llm);
    }
}
