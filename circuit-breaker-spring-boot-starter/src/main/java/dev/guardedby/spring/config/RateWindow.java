package dev.guardedby.spring.config;

import dev.guardedby.circuitbreaker.CircuitBreaker;
import java.time.Duration;
import java.util.regex.Pattern;
import org.springframework.boot.convert.DurationStyle;

/** What rates are of: so many last calls, or so much last time. */
@FunctionalInterface
interface RateWindow {
    /** A bare number, which is calls here and nowhere milliseconds. */
    Pattern CALLS = Pattern.compile("[+-]?\\d+");

    void applyTo(CircuitBreaker.Builder breaker);

    /**
     * Reads {@code 100} or {@code 60s}.
     *
     * @throws IllegalArgumentException if the text is neither
     */
    static RateWindow parse(String text) {
        if (CALLS.matcher(text).matches()) {
            int calls = Integer.parseInt(text);
            return breaker -> breaker.window(calls);
        }
        Duration length = DurationStyle.detectAndParse(text);
        return breaker -> breaker.window(length);
    }
}
