package dev.guardedby.circuitbreaker;

import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;

/**
 * What a remote said over HTTP, as far as a breaker wants to know it.
 *
 * @param status the status code, such as 429
 * @param header answers the first value of a header by its name, in whatever case; asked for {@code Retry-After} and
 *     {@code retry-after-ms} while the call is judged, and not afterwards
 * @param codes what the body says is wrong, in the words of the API, such as {@code insufficient_quota}: the code and the type
 *     of the error; empty if it says nothing
 */
public record HttpAnswer(int status, Function<String, Optional<String>> header, List<String> codes) {
    /** Copies the codes. */
    public HttpAnswer {
        Objects.requireNonNull(header, "header");
        codes = List.copyOf(codes);
    }
}
