package dev.guardedby.spring.config;

import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.Mode;
import dev.guardedby.circuitbreaker.Proof;
import dev.guardedby.spring.config.ConfiguredBreakers.UnknownName;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.boot.context.properties.bind.Name;

/**
 * Every setting there is, each described once: this is what the IDE completes.
 *
 * <p>The settings of breakers are not bound here as a whole. {@link SettingsReader} binds one {@link Breaker} at a time, from
 * all the places that say something about it, so that a default applies only where none of them does.
 *
 * @param enabled Whether anything is guarded at all. Switched off, nothing is proxied or published, and breakers asked of
 *     the registry let every call pass.
 * @param unknownName What to do about a breaker name in code that has no entry under guardedby.breakers. By default, a
 *     name that is one edit away from an entry nobody uses fails start-up.
 * @param defaults Settings of every breaker, unless its template or its own entry says otherwise.
 * @param templates Named groups of settings that breakers and other templates extend.
 * @param breakers Settings of single breakers, by name. A name with dots is written in quotes and brackets, "[a.b]".
 * @param health What breakers do to the health of the application.
 */
@ConfigurationProperties("guardedby")
record GuardedByProperties(
        @DefaultValue("true") boolean enabled,
        @DefaultValue("near-miss") UnknownName unknownName,
        @DefaultValue Breaker defaults,
        @DefaultValue Map<String, Breaker> templates,
        @DefaultValue Map<String, Breaker> breakers,
        @DefaultValue Health health) {

    /**
     * Settings of a breaker.
     *
     * @param template Template whose settings apply where this entry says nothing.
     * @param failureThreshold Consecutive failures at which the breaker opens, at least 1.
     * @param recoveryTimeout How long the breaker stays open before a probe may pass.
     * @param probes Calls that may pass while half-open, to find out whether the remote has recovered, at least 1.
     * @param successesToClose Successful probes that close the breaker, 1 to the number of probes. By default, all of them.
     * @param probeTimeout How long a probe keeps its slot before another caller may take it over.
     * @param recordExceptions Exceptions that count as failures, with their subclasses. If any are given, every other
     *     exception counts as a success.
     * @param ignoreExceptions Exceptions that count neither as failure nor as success, with their subclasses. They win over
     *     record-exceptions.
     * @param tripExceptions Exceptions of which one is enough to open the breaker, with their subclasses.
     * @param tripOn Answers of the remote of which one is enough to open the breaker: when to come back, a quota that is
     *     exhausted, a key that is revoked. Leave key-revoked out where calls are made with the keys of customers. An empty
     *     list switches it off.
     * @param mode Whether the breaker refuses calls, only watches and reports, or is off.
     */
    record Breaker(
            @Name("extends") @Nullable String template,
            @DefaultValue("5") int failureThreshold,
            @DefaultValue("5m") Duration recoveryTimeout,
            @DefaultValue("1") int probes,
            @Nullable Integer successesToClose,
            @DefaultValue("60s") Duration probeTimeout,
            @DefaultValue List<Class<? extends Throwable>> recordExceptions,
            @DefaultValue List<Class<? extends Throwable>> ignoreExceptions,
            @DefaultValue List<Class<? extends Throwable>> tripExceptions,

            @DefaultValue({"retry-after", "quota-exhausted", "key-revoked"})
            List<Proof> tripOn,

            @DefaultValue("enforce") Mode mode) {

        void applyTo(CircuitBreaker.Builder breaker) {
            breaker.failureThreshold(failureThreshold)
                    .recoveryTimeout(recoveryTimeout)
                    .probes(probes)
                    .probeTimeout(probeTimeout)
                    .mode(mode);
            if (successesToClose != null) {
                breaker.successesToClose(successesToClose);
            }
            // A record rule that names nothing would make every exception a success.
            if (!recordExceptions.isEmpty()) {
                breaker.recordExceptions(array(recordExceptions));
            }
            if (!ignoreExceptions.isEmpty()) {
                breaker.ignoreExceptions(array(ignoreExceptions));
            }
            if (!tripExceptions.isEmpty()) {
                breaker.tripExceptions(array(tripExceptions));
            }
            breaker.tripOn(tripOn.toArray(Proof[]::new));
        }

        @SuppressWarnings({"unchecked", "rawtypes"}) // Java has no array of a generic type
        private static Class<? extends Throwable>[] array(List<Class<? extends Throwable>> types) {
            return types.toArray(new Class[0]);
        }
    }

    /**
     * Health.
     *
     * @param downWhenOpen Whether an open breaker that refuses calls reports DOWN. Off by default, because the outage of a
     *     remote should not take this application out of service.
     */
    record Health(@DefaultValue("false") boolean downWhenOpen) {}
}
