package dev.guardedby.circuitbreaker;

import static dev.guardedby.circuitbreaker.Spending.calls;
import static dev.guardedby.circuitbreaker.Spending.daily;
import static dev.guardedby.circuitbreaker.Spending.refusal;
import static dev.guardedby.circuitbreaker.Spending.shown;
import static dev.guardedby.circuitbreaker.Spending.usd;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.math.BigDecimal;
import java.net.ConnectException;
import java.net.SocketTimeoutException;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** What a call costs, by how it ends: each call holds 0.5 USD and counts in calls. */
class BudgetSettleTest {
    private final Story story = new Story();

    private CircuitBreaker.Builder breaker() {
        return story.breaker().budget(daily("10")).budget(calls(100)).estimatePerCall(usd("0.5"));
    }

    private String after(Consumer<Permit> end) {
        CircuitBreaker breaker =
                breaker().ignoreExceptions(IllegalArgumentException.class).build();
        end.accept(breaker.acquire());
        return shown(breaker);
    }

    private static final String HELD = "daily 0.5+0/10, calls 1+0/100";
    private static final String NOTHING = "daily 0+0/10, calls 0+0/100";

    @Test
    void whatWasRecorded_isWhatItCosts_zeroIncluded_howeverItEnds() {
        assertThat(after(permit -> {
                    permit.recordCost(usd("0.2"));
                    permit.recordCost(usd("0.1"));
                    permit.success();
                }))
                .isEqualTo("daily 0.3+0/10, calls 1+0/100");
        assertThat(after(permit -> {
                    permit.recordCost(Cost.ZERO);
                    permit.success();
                }))
                .isEqualTo("daily 0+0/10, calls 1+0/100");
        assertThat(after(permit -> {
                    permit.recordCost(usd("2"));
                    permit.failure(new IOException("down"));
                }))
                .isEqualTo("daily 2+0/10, calls 1+0/100");
        assertThat(after(permit -> {
                    permit.recordCost(usd("0.2"));
                    permit.cancel();
                }))
                .isEqualTo("daily 0.2+0/10, calls 1+0/100");
    }

    @Test
    void nothingRecorded_costsTheHold_whenTheRemoteMayHaveDoneItsWork() {
        assertThat(after(Permit::success)).isEqualTo(HELD);
        assertThat(after(permit -> permit.success("result"))).isEqualTo(HELD);
        assertThat(after(Permit::cancel)).isEqualTo(HELD);
        assertThat(after(permit -> permit.failure(new InterruptedException()))).isEqualTo(HELD);
        assertThat(after(permit -> permit.failure(new SocketTimeoutException("Read timed out"))))
                .isEqualTo(HELD);
        assertThat(after(permit -> permit.failure(new SocketTimeoutException())))
                .isEqualTo(HELD);
        assertThat(after(permit -> permit.failureAsync(new CompletionException(new HttpTimeoutException("request")))))
                .isEqualTo(HELD);
        assertThat(after(permit ->
                        permit.failure(new IllegalStateException("client", new SocketTimeoutException("timeout")))))
                .isEqualTo(HELD);
        assertThat(after(permit ->
                        permit.failure(new IllegalStateException("client", new InterruptedIOException("timeout")))))
                .as("the limit of OkHttp for a whole call")
                .isEqualTo(HELD);
    }

    @Test
    void nothingRecorded_costsNothing_whenTheRemoteDidNothing() {
        assertThat(after(Permit::ignore)).isEqualTo(NOTHING);
        assertThat(after(Permit::close)).isEqualTo(NOTHING);
        assertThat(after(permit -> permit.failure(new IOException("down")))).isEqualTo(NOTHING);
        assertThat(after(permit -> permit.failure(new ConnectException("refused"))))
                .isEqualTo(NOTHING);
        assertThat(after(permit -> permit.failure(new SocketTimeoutException("Connect timed out"))))
                .isEqualTo(NOTHING);
        assertThat(after(permit -> permit.failure(new HttpConnectTimeoutException("connect"))))
                .isEqualTo(NOTHING);
        assertThat(after(permit -> permit.failure(new IllegalArgumentException("ignored"))))
                .isEqualTo(NOTHING);
        CircuitBreaker inner = CircuitBreaker.of("inner");
        inner.holdOpen();
        assertThat(after(permit -> {
                    try {
                        inner.acquire().close();
                    } catch (CallNotPermittedException refused) {
                        permit.failure(refused);
                    }
                }))
                .isEqualTo(NOTHING);
    }

    @Test
    void chargeOnFailure_replacesTheDefault() {
        CircuitBreaker breaker = breaker().chargeOnFailure(IOException.class).build();
        breaker.acquire().failure(new ConnectException("refused"));
        assertThat(shown(breaker)).isEqualTo(HELD);

        CircuitBreaker none = breaker().chargeOnFailure().build();
        none.acquire().failure(new SocketTimeoutException("Read timed out"));
        assertThat(shown(none)).isEqualTo(NOTHING);
    }

    @Test
    void eachWayToCall_settlesOnce() {
        CircuitBreaker breaker = breaker().failureThreshold(100).build();

        assertThat(breaker.call(() -> "a")).isEqualTo("a");
        breaker.run(() -> {});
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> breaker.run(() -> {
                    throw new IOException("down");
                }));
        assertThat(breaker.<String, RuntimeException>call(usd("1"), permit -> {
                    permit.recordCost(usd("0.25"));
                    permit.success();
                    return "b";
                }))
                .isEqualTo("b");
        assertThat(breaker.callAsync(() -> CompletableFuture.completedFuture("c")))
                .isCompletedWithValue("c");
        assertThat(breaker.callAsync(() -> CompletableFuture.failedFuture(new IOException("down"))))
                .isCompletedExceptionally();

        assertThat(shown(breaker)).isEqualTo("daily 1.75+0/10, calls 4+0/100");
    }

    @Test
    void futureEndedFromOutside_costsItsHold() {
        CircuitBreaker breaker = breaker().build();
        CompletableFuture<String> cancelled = breaker.callAsync(CompletableFuture::new);
        CompletableFuture<String> timedOut = breaker.callAsync(CompletableFuture::new);
        assertThat(shown(breaker)).isEqualTo("daily 0+1/10, calls 0+2/100");

        cancelled.cancel(true);
        timedOut.completeExceptionally(new TimeoutException());

        assertThat(shown(breaker)).isEqualTo("daily 1+0/10, calls 2+0/100");
    }

    @Test
    void secondReport_changesNothing() {
        assertThat(after(permit -> {
                    permit.success();
                    permit.failure(new IOException("late"));
                    permit.close();
                }))
                .isEqualTo(HELD);
    }

    @Test
    void correction_replacesAChargeAtTheHold_thenAddsUp_inTheWindowOfTheCall() {
        CircuitBreaker breaker = breaker().build();
        Permit yesterday = breaker.acquire();
        yesterday.success();
        Permit early = breaker.acquire();
        early.success();
        assertThat(shown(breaker)).isEqualTo("daily 1+0/10, calls 2+0/100");

        early.recordCost(usd("0.1"));
        assertThat(shown(breaker)).isEqualTo("daily 0.6+0/10, calls 2+0/100");
        early.recordCost(usd("2"));
        assertThat(shown(breaker)).isEqualTo("daily 2.6+0/10, calls 2+0/100");

        story.time.advance(Duration.ofDays(1));
        yesterday.recordCost(usd("3"));
        assertThat(shown(breaker)).isEqualTo("daily 0+0/10, calls 2+0/100");
        assertThat(breaker.stats().totalEstimatedCost()).isEqualByComparingTo("5.1");
    }

    @Test
    void absurdCost_isRefused_andChangesNothing() {
        CircuitBreaker breaker = breaker().build();
        Permit permit = breaker.acquire();

        assertThatIllegalArgumentException().isThrownBy(() -> permit.recordCost(usd("1000001")));
        assertThatIllegalArgumentException().isThrownBy(() -> permit.recordCost(-1, 0, BigDecimal.ZERO));
        assertThatIllegalArgumentException().isThrownBy(() -> breaker.recordCost(usd("1000001")));
        permit.success();

        assertThat(shown(breaker)).isEqualTo(HELD);
    }

    @Test
    void lostHold_countsAsSpent_untilALateReportReplacesIt() {
        CircuitBreaker breaker = breaker().holdTimeout(Duration.ofMinutes(1)).build();
        Permit lost = breaker.acquire(usd("4"));
        Permit gone = breaker.acquire(usd("6"));
        assertThat(refusal(breaker, Cost.ZERO)).isEqualTo("daily RESERVED");

        story.time.advance(Duration.ofMinutes(1));
        assertThat(refusal(breaker, Cost.ZERO)).isEqualTo("daily EXHAUSTED");
        assertThat(shown(breaker)).isEqualTo("daily 10+0/10, calls 2+0/100");

        lost.recordCost(usd("1"));
        lost.success();
        gone.close();
        assertThat(shown(breaker)).isEqualTo("daily 1+0/10, calls 1+0/100");
    }

    @Test
    void recordedWithoutAPermit_isBookedAtOnce_andInsideACallOfTheBreakerAsThatOfTheCall() {
        CircuitBreaker breaker = breaker().build();
        breaker.recordCost(usd("1"));
        assertThat(shown(breaker)).isEqualTo("daily 1+0/10, calls 0+0/100");

        breaker.run(() -> breaker.recordCost(usd("0.25")));
        assertThat(shown(breaker)).isEqualTo("daily 1.25+0/10, calls 1+0/100");
        assertThat(breaker.stats().totalEstimatedCost()).isEqualByComparingTo("1.25");
    }

    @Test
    void throwingClock_leaksNoHold() {
        boolean[] broken = {false};
        CircuitBreaker breaker = breaker()
                .clock(() -> {
                    if (broken[0]) {
                        throw new IllegalStateException("clock");
                    }
                    return story.time.instant();
                })
                .build();
        Permit permit = breaker.acquire();
        broken[0] = true;
        assertThatExceptionOfType(IllegalStateException.class).isThrownBy(breaker::acquire);
        permit.success();
        broken[0] = false;

        assertThat(shown(breaker)).isEqualTo(HELD);
    }
}
