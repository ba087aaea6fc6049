package dev.guardedby.circuitbreaker;

import static dev.guardedby.circuitbreaker.Story.LEASE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Nothing is held longer than it is of use. */
final class ForgettingTest {
    private static void awaitCollected(WeakReference<?> reference) {
        for (int i = 0; i < 100 && reference.get() != null; i++) {
            System.gc();
        }
        assertThat(reference.get()).isNull();
    }

    @Test
    void thread_holdsNoProbeThatItMade() {
        awaitCollected(probed());
    }

    private static WeakReference<CircuitBreaker> probed() {
        Story story = new Story();
        CircuitBreaker breaker =
                story.halfOpen(story.breaker().probes(4).ignoreExceptions(IllegalArgumentException.class));
        assertThat(catchThrowable(() -> breaker.run(() -> {
                    throw new IllegalArgumentException();
                })))
                .isInstanceOf(IllegalArgumentException.class);
        breaker.run(() -> {});
        int answer = breaker.call(Cost.ZERO, permit -> breaker.call(() -> 1));
        breaker.callAsync(() -> null).isDone();
        assertThat(answer).isOne();
        return new WeakReference<>(breaker);
    }

    @Test
    void thread_holdsNoPermitThatItAttached_howeverTheScopesWereClosed() {
        awaitCollected(attached());
    }

    private static WeakReference<CircuitBreaker> attached() {
        Story story = new Story();
        CircuitBreaker breaker = story.halfOpen(story.breaker().probes(4));
        Scope first = breaker.acquire().attach();
        Scope second = breaker.acquire().attach();
        Scope third = breaker.acquire().attach();
        second.close();
        first.close();
        third.close();
        return new WeakReference<>(breaker);
    }

    @Test
    void innerScopeThatEnds_makesTheOuterOneCurrentAgain_andNothingElse() {
        Story story = new Story();
        CircuitBreaker outer = story.halfOpen(story.breaker());
        try (Scope scope = outer.acquire().attach()) {
            awaitCollected(attached());
            assertThat(outer.tryAcquire()).as("rides").isPresent();
            assertThat(scope).isNotNull();
        }
        assertThat(outer.tryAcquire()).isEmpty();
    }

    @Test
    void hungCall_holdsNoneOfThePeriodsThatFollowed() {
        List<WeakReference<Transition>> followed = new ArrayList<>();
        Story story = new Story();
        CircuitBreaker breaker = story.breaker()
                .listener(new CircuitBreakerListener() {
                    @Override
                    public void onTransition(Transition transition) {
                        followed.add(new WeakReference<>(transition));
                    }
                })
                .build();
        Permit hung = breaker.acquire();
        for (int i = 0; i < 20; i++) {
            breaker.forceOpen();
            breaker.reset();
        }

        for (WeakReference<Transition> past : followed.subList(0, 20)) {
            awaitCollected(past);
        }
        hung.success();
        assertThat(breaker.stats().stale()).isOne();
    }

    @Test
    void probesTakenOver_areForgotten_evenIfNoneEverReports() {
        Story story = new Story();
        CircuitBreaker breaker = story.halfOpen(story.breaker());
        WeakReference<Permit> lost = new WeakReference<>(breaker.acquire());
        story.time.advance(LEASE);
        Permit heir = breaker.acquire();

        awaitCollected(lost);
        heir.success();
        assertThat(breaker.state()).isEqualTo(CircuitState.CLOSED);
    }
}
