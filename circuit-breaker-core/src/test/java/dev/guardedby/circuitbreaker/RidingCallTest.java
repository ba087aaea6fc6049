package dev.guardedby.circuitbreaker;

import static dev.guardedby.circuitbreaker.Story.LEASE;
import static dev.guardedby.circuitbreaker.Story.counts;
import static dev.guardedby.circuitbreaker.Story.fail;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** A call made inside a probe of the same breaker rides on it: admitted, without a slot, in the totals only. */
final class RidingCallTest {
    private final Story story = new Story();
    private final CircuitBreaker breaker = story.halfOpen(story.breaker());

    @Test
    void callInsideAProbe_passes_andMovesNothing() {
        String answer = breaker.call(() -> {
            assertThatThrownBy(() -> breaker.run(() -> {
                        throw new IOException("a part failed");
                    }))
                    .isInstanceOf(IOException.class);
            assertThat(breaker.state()).isEqualTo(CircuitState.HALF_OPEN);
            breaker.run(() -> {});
            assertThat(breaker.state()).isEqualTo(CircuitState.HALF_OPEN);
            return "whole";
        });

        assertThat(answer).isEqualTo("whole");
        assertThat(story.history()).containsExactly("10s HALF_OPEN>CLOSED PROBES_SUCCEEDED");
        assertThat(counts(breaker))
                .isEqualTo("totalSuccesses=2 totalFailures=4 timesOpened=1 timesHalfOpened=1 timesClosed=1");
    }

    @Test
    void everyWayToCall_ridesAlong() {
        breaker.run(() -> {
            try (Permit permit = breaker.acquire()) {
                assertThat(permit.isProbe()).isFalse();
                permit.success();
            }
            breaker.tryAcquire().orElseThrow().success();
            breaker.acquireAsync(Cost.ZERO).toCompletableFuture().join().success();
            assertThat(breaker.canExecute()).isTrue();
            assertThat(breaker.refusal()).isEmpty();
            breaker.run(() -> {});
            boolean probe = breaker.call(Cost.ZERO, Permit::isProbe);
            assertThat(probe).isFalse();
            assertThat(breaker.callAsync(() -> CompletableFuture.completedFuture(1)))
                    .isCompletedWithValue(1);
        });

        assertThat(story.history()).containsExactly("10s HALF_OPEN>CLOSED PROBES_SUCCEEDED");
        assertThat(counts(breaker))
                .isEqualTo("totalSuccesses=7 totalFailures=3 timesOpened=1 timesHalfOpened=1 timesClosed=1");
    }

    @Test
    void callsNestedDeeper_rideToo_throughOtherBreakers() {
        CircuitBreaker other = story.breaker().build();

        int depth = breaker.call(() -> other.call(() -> breaker.call(() -> other.call(() -> breaker.call(() -> 5)))));

        assertThat(depth).isEqualTo(5);
        assertThat(story.history()).containsExactly("10s HALF_OPEN>CLOSED PROBES_SUCCEEDED");
        assertThat(counts(other)).isEqualTo("totalSuccesses=2");
    }

    @Test
    void probesOfTwoBreakers_carryTheCallsOfBoth() {
        CircuitBreaker other = story.halfOpen(story.breaker());

        int answer = breaker.call(() -> other.call(() -> breaker.call(() -> other.call(() -> 7))));

        assertThat(answer).isEqualTo(7);
        assertThat(story.history())
                .containsExactly("20s HALF_OPEN>CLOSED PROBES_SUCCEEDED", "20s HALF_OPEN>CLOSED PROBES_SUCCEEDED");
    }

    @Test
    void attachedPermit_carriesItsCallsOnAnotherThread() {
        Permit probe = breaker.acquire();

        CompletableFuture<Boolean> attached = CompletableFuture.supplyAsync(() -> {
            try (Scope scope = probe.attach()) {
                assertThat(scope).isNotNull();
                breaker.run(() -> {});
                return breaker.tryAcquire().isPresent();
            }
        });
        assertThat(attached.join()).isTrue();
        CompletableFuture<Boolean> bystander =
                CompletableFuture.supplyAsync(() -> breaker.tryAcquire().isPresent());
        assertThat(bystander.join()).as("the scope is over").isFalse();

        probe.success();
        assertThat(story.history()).containsExactly("10s HALF_OPEN>CLOSED PROBES_SUCCEEDED");
    }

    @Test
    void probesSupplier_carriesItsCalls() {
        CompletableFuture<Integer> future = breaker.callAsync(() -> {
            int part = breaker.call(() -> 1);
            return CompletableFuture.completedFuture(part + 1);
        });

        assertThat(future).isCompletedWithValue(2);
        assertThat(story.history()).containsExactly("10s HALF_OPEN>CLOSED PROBES_SUCCEEDED");
    }

    @Test
    void permitThatIsNotAttached_carriesNothing() {
        Permit probe = breaker.acquire();

        assertThat(breaker.tryAcquire()).isEmpty();
        try (Scope scope = probe.attach()) {
            assertThat(scope).isNotNull();
            assertThat(breaker.tryAcquire()).isPresent();
        }
        assertThat(breaker.tryAcquire()).isEmpty();
    }

    @Test
    void reportedProbe_carriesNothingMore() {
        CircuitBreaker pair = story.halfOpen(story.breaker().probes(2));
        pair.run(() -> {
            assertThat(pair.acquire().isProbe()).as("rides").isFalse();
        });

        pair.<Void, RuntimeException>call(Cost.ZERO, permit -> {
            permit.ignore();
            assertThat(pair.acquire().isProbe()).as("on its own").isTrue();
            return null;
        });
    }

    @Test
    void probeOfAnEndedPeriod_carriesNothing() {
        assertThatThrownBy(() -> breaker.run(() -> {
                    breaker.forceOpen();
                    breaker.run(() -> {});
                }))
                .isInstanceOf(CallNotPermittedException.class);

        assertThat(story.history()).containsExactly("10s HALF_OPEN>OPEN FORCE_OPEN");
        assertThat(counts(breaker))
                .isEqualTo("totalFailures=3 timesOpened=2 timesHalfOpened=1 consecutiveFailures=3"
                        + " totalIgnored=1 totalRejected=1 stale=1");
    }

    @Test
    void probeWhoseLeaseIsOver_stillCarriesItsOwnCalls() {
        breaker.run(() -> {
            story.time.advance(LEASE);
            breaker.run(() -> {});
        });

        assertThat(story.history()).containsExactly("70s HALF_OPEN>CLOSED PROBES_SUCCEEDED");
        assertThat(counts(breaker)).startsWith("totalSuccesses=2 ");
    }

    @Test
    void ordinaryCall_carriesNothing() {
        CircuitBreaker closed = story.breaker().build();

        closed.run(() -> {
            closed.forceOpen();
            assertThat(closed.tryAcquire()).isEmpty();
            story.time.advance("PT10S");
            assertThat(closed.acquire().isProbe()).isTrue();
            assertThat(closed.tryAcquire()).isEmpty();
        });
    }

    @Test
    void scopesClosedOutOfOrder_endAllTheSame() {
        Permit probe = breaker.acquire();
        Scope outer = probe.attach();
        Scope inner = probe.attach();

        outer.close();
        assertThat(breaker.tryAcquire()).as("the inner one holds").isPresent();
        inner.close();
        assertThat(breaker.tryAcquire()).isEmpty();
        inner.close();
        outer.close();
        assertThat(breaker.tryAcquire()).isEmpty();

        fail(probe);
        assertThat(story.history()).containsExactly("10s HALF_OPEN>OPEN PROBES_FAILED");
    }

    @Test
    void riderThatOutlivesTheProbe_isInTheTotalsOnly() {
        Permit rider = breaker.call(() -> breaker.acquire());
        assertThat(breaker.state()).isEqualTo(CircuitState.CLOSED);

        fail(rider);

        assertThat(counts(breaker))
                .isEqualTo("totalSuccesses=1 totalFailures=4 timesOpened=1 timesHalfOpened=1 timesClosed=1");
    }
}
