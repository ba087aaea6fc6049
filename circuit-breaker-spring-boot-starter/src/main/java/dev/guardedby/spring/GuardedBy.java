package dev.guardedby.spring;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.springframework.core.annotation.AliasFor;

/**
 * Puts the calls of a bean's method under a circuit breaker.
 *
 * <pre>{@code
 * @GuardedBy(name = "llm", fallback = "canned", cost = "#result.cost()")
 * public Answer ask(String question) throws IOException { … }
 *
 * private Answer canned(String question, CallNotPermittedException refused) { … }
 * }</pre>
 *
 * <p>The caller gets what the method returned, or the very exception that it threw. While the breaker refuses, the method is
 * not called and the caller gets a {@link dev.guardedby.circuitbreaker.CallNotPermittedException}. A method that returns a
 * {@link java.util.concurrent.CompletionStage} or {@link java.util.concurrent.CompletableFuture} is judged by how that
 * future ends, and a refusal is a failed future. Of a publisher, such as a {@code Mono} or a {@code Flux}, each subscription is
 * a call, and a refusal is an error signal; the method itself runs when it is called, also while the breaker refuses. So does
 * one that returns a Kotlin {@code Flow}; a {@code suspend} function, and one that returns a {@code Deferred}, is not called
 * then. The {@code Future} of an {@code @Async} method is guarded like other futures.
 *
 * <p>On a class it guards the public methods, those it inherits included but not {@code Object}'s; on an interface, the
 * methods of that interface. It is found on every interface and superclass and as a meta-annotation. What is on a method
 * replaces what is on its type, and what is on a class replaces what is on its interfaces; two interfaces that say different
 * things about one method fail start-up.
 *
 * <p>Guarding is done by a proxy: calls that come from outside the bean are guarded, a call of {@code this.method()} is not.
 * There, inject the {@link dev.guardedby.circuitbreaker.CircuitBreakerRegistry} and use the breaker in code. Methods that no
 * proxy can stand before, {@code private}, {@code final} and {@code static} ones, fail start-up.
 */
@Target({ElementType.METHOD, ElementType.TYPE, ElementType.ANNOTATION_TYPE})
@Retention(RetentionPolicy.RUNTIME)
@Documented
public @interface GuardedBy {

    /** The same as {@link #name()}. */
    @AliasFor("name")
    String value() default "";

    /**
     * The name of the breaker: 1 to 64 letters, digits, '.', '_' or '-'. {@code ${placeholders}} are resolved once. Its
     * settings are those under {@code guardedby.breakers.<name>}; methods with the same name share the breaker.
     * Case and dashes make no difference, but one name is to be written one way.
     */
    @AliasFor("value")
    String name() default "";

    /**
     * The name of a method that answers instead when the call is refused or fails: of the same class, a superclass or a
     * default method of an interface, of any visibility. It takes the same parameters, or the same and the exception; of
     * several, the one with the nearest exception type answers. Its result must be assignable to the method's.
     *
     * <p>It is not asked for exceptions that the breaker ignores, unless they are or wrap the refusal of another. What it
     * throws reaches the caller, with what it was called for as a suppressed exception.
     */
    String fallback() default "";

    /**
     * What a call cost, as a SpEL expression over {@code #result} and the arguments, by name or as {@code #a0}, {@code #a1},
     * …: a {@link dev.guardedby.circuitbreaker.Cost}, or a number of US dollars. The result of a future is its value, that of a
     * publisher its item or the last of them, and null if it is empty.
     *
     * <p>It is not evaluated after a failure, nor where the method has recorded its cost by a {@link CostRecorder}. One that
     * fails leaves the result alone, and is counted and logged.
     */
    String cost() default "";

    /**
     * Whose call it is, as a SpEL expression over the arguments, by name or as {@code #a0}, {@code #a1}, …: each tenant, model
     * or host then has a breaker of its own, so that the outage of one cuts off nobody else.
     *
     * <p>It must yield a text, a number, a boolean, an enum constant, a {@link java.util.UUID} or a {@link java.net.URI}: 1 to
     * 256 characters, not blank and without control characters. A call for which it yields anything else, or fails, is not
     * made, asks no fallback, and gets an {@link IllegalArgumentException} that says so; where a method
     * returns a future or a publisher, that fails.
     *
     * <p>The breakers have the settings of the name. At most {@code max-keys} of them are kept, by Caffeine, which must be on the
     * class path. Those that are called least are forgotten to make room, and so is whatever has not been called for an hour,
     * but none that may still {@linkplain dev.guardedby.circuitbreaker.CircuitBreaker#isForgettable matter}: that is open, is
     * probing, or has failures to remember, and has been called in the last ten minutes, or that an operator has changed. If all
     * that are kept do, calls with further keys share the breaker of the name. So do methods of the same name without a key.
     *
     * <p>In code, {@code registry.get("llm").forKey("acme")} is the same breaker.
     */
    String key() default "";
}
