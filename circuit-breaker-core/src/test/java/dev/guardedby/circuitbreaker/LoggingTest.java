package dev.guardedby.circuitbreaker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What is logged: user code that throws where nobody else would see it, and nothing else. */
final class LoggingTest {
    private final Logger logger = Logger.getLogger(CircuitBreaker.class.getName());
    private final List<String> logged = new ArrayList<>();
    private final Handler handler = new Handler() {
        @Override
        public void publish(LogRecord entry) {
            logged.add(entry.getLevel() + " " + entry.getMessage() + ": "
                    + (entry.getThrown() == null ? "" : entry.getThrown().getMessage()));
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
    };

    @BeforeEach
    void listen() {
        logger.setUseParentHandlers(false);
        logger.addHandler(handler);
    }

    @AfterEach
    void stopListening() {
        logger.removeHandler(handler);
        logger.setUseParentHandlers(true);
    }

    private static boolean broken(@Nullable Object thing) {
        throw new IllegalStateException("planned, for " + thing);
    }

    @Test
    void ruleThatThrows_isLogged() {
        CircuitBreaker breaker = CircuitBreaker.builder("llm")
                .recordIf(LoggingTest::broken)
                .failOnResult(LoggingTest::broken)
                .build();

        assertThat(catchThrowable(() -> breaker.run(() -> {
                    throw new IOException("down");
                })))
                .hasMessage("down");
        String answer = breaker.call(() -> "answer");

        assertThat(answer).isEqualTo("answer");
        assertThat(logged)
                .containsExactly(
                        "WARNING A rule on the exception of a call threw; the call counts as a failure:"
                                + " planned, for java.io.IOException: down",
                        "WARNING A rule on the result of a call threw; the call counts as a failure:"
                                + " planned, for answer");
    }

    @Test
    void hintThatThrows_isLogged() {
        CircuitBreaker breaker = CircuitBreaker.builder("llm")
                .retryAfter(failure -> {
                    throw new IllegalStateException("planned, for " + failure);
                })
                .build();

        Story.fail(breaker, 1);

        assertThat(logged)
                .containsExactly("WARNING A retry-after hint threw; the wait does without it:"
                        + " planned, for java.io.IOException: down");
    }

    @Test
    void listenerThatThrows_isLoggedByItsClass() {
        CircuitBreaker breaker = CircuitBreaker.builder("llm")
                .listener(new Grumpy())
                .failureThreshold(1)
                .build();

        breaker.recordFailure();

        assertThat(logged)
                .containsExactly("WARNING Circuit breaker listener " + Grumpy.class.getName() + " threw: OPEN");
    }

    @Test
    void listenerThatThrowsOverAResult_isLoggedByItsClass() {
        CircuitBreakerListener deaf = new CircuitBreakerListener() {
            @Override
            public void onResult(CircuitBreaker by, Outcome outcome, long durationNanos, @Nullable Throwable failure) {
                throw new IllegalStateException(outcome.name());
            }
        };
        CircuitBreaker breaker = CircuitBreaker.builder("llm").listener(deaf).build();

        breaker.run(() -> {});

        assertThat(logged)
                .containsExactly(
                        "WARNING Circuit breaker listener " + deaf.getClass().getName() + " threw: SUCCESS");
    }

    private static final class Grumpy implements CircuitBreakerListener {
        @Override
        public void onTransition(Transition transition) {
            throw new IllegalStateException(transition.to().name());
        }
    }

    @Test
    void outage_isNotLogged() {
        Story story = new Story();
        CircuitBreaker breaker = story.breaker().build();

        Story.fail(breaker, 3);
        assertThat(breaker.canExecute()).isFalse();
        story.time.advance(Story.WAIT);
        breaker.run(() -> {});

        assertThat(story.history()).hasSize(3);
        assertThat(logged).as("that is for listeners").isEmpty();
    }
}
