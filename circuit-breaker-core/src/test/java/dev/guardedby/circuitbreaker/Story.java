package dev.guardedby.circuitbreaker;

import java.io.IOException;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;

/** What happened to a breaker on fake time, one line a transition: {@code "10s OPEN>HALF_OPEN WAIT_OVER"}. */
final class Story implements CircuitBreakerListener {
    static final Duration WAIT = Duration.ofSeconds(10);
    static final Duration LEASE = Duration.ofSeconds(60);
    static final Duration INSTANT_BEFORE = Duration.ofNanos(-1);

    final FakeTime time;
    private final List<String> history = new CopyOnWriteArrayList<>();

    Story() {
        this(new FakeTime());
    }

    Story(FakeTime time) {
        this.time = time;
    }

    /** Three failures trip it, it waits 10 s, and one probe has 60 s, unless the test says otherwise. */
    CircuitBreaker.Builder breaker() {
        return CircuitBreaker.builder("llm")
                .failureThreshold(3)
                .recoveryTimeout(WAIT)
                .ticker(time)
                .clock(time)
                .listener(this);
    }

    /** A breaker with three failures, just tripped; the history starts after that. */
    CircuitBreaker open(CircuitBreaker.Builder builder) {
        CircuitBreaker breaker = builder.build();
        trip(breaker);
        history.clear();
        return breaker;
    }

    /** A breaker that is just HALF_OPEN with all slots free; the history starts after that. */
    CircuitBreaker halfOpen(CircuitBreaker.Builder builder) {
        CircuitBreaker breaker = open(builder);
        time.advance(breaker.recoveryTimeout());
        CircuitState unused = breaker.state();
        history.clear();
        return breaker;
    }

    List<String> history() {
        return List.copyOf(history);
    }

    @Override
    public void onTransition(Transition transition) {
        history.add(seconds(Duration.between(FakeTime.START, transition.at())) + "s " + transition.from() + ">"
                + transition.to() + " " + transition.cause());
    }

    static void trip(CircuitBreaker breaker) {
        for (int i = 0; i < breaker.failureThreshold(); i++) {
            breaker.recordFailure();
        }
    }

    static void fail(CircuitBreaker breaker, int times) {
        for (int i = 0; i < times; i++) {
            fail(breaker.acquire());
        }
    }

    static void fail(Permit permit) {
        permit.failure(new IOException("down"));
    }

    /** All counts that are not zero, in the order of {@code toMap}. */
    static String counts(CircuitBreaker breaker) {
        return breaker.stats().toMap().entrySet().stream()
                .filter(entry -> entry.getValue() instanceof Long count && count != 0)
                .map(Map.Entry::toString)
                .collect(Collectors.joining(" "));
    }

    private static String seconds(Duration elapsed) {
        return BigDecimal.valueOf(elapsed.toNanos(), 9).stripTrailingZeros().toPlainString();
    }
}
