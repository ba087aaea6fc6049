package dev.guardedby.spring.config;

import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.Cost;
import dev.guardedby.circuitbreaker.Mode;
import dev.guardedby.circuitbreaker.Proof;
import dev.guardedby.spring.config.ConfiguredBreakers.UnknownName;
import dev.guardedby.spring.config.ConfiguredPrices.UnknownModel;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.LocalDate;
import java.time.ZoneId;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.boot.context.properties.bind.Name;

/**
 * Every setting there is, each described once: this is what the IDE completes.
 *
 * <p>The settings of breakers are not bound here as a whole. {@link SettingsReader} binds one {@link Breaker} at a time, from
 * all the places that say something about it, and {@link BudgetsReader} one {@link Budget}.
 *
 * @param enabled Whether anything is guarded at all. Switched off, nothing is proxied or published, and breakers asked of
 *     the registry let every call pass.
 * @param unknownName What to do about a breaker name in code that has no entry under guardedby.breakers. By default, a
 *     name that is one edit away from an entry nobody uses fails start-up.
 * @param aspectOrder Order number of the guard among other aspects, with the fallback directly outside it. By default, the
 *     guard stands inside retries and caches and outside transactions, and the fallback outside all of them, whatever
 *     their numbers.
 * @param defaults Settings of every breaker, unless its template or its own entry says otherwise.
 * @param templates Named groups of settings that breakers and other templates extend.
 * @param breakers Settings of single breakers, by name. A name with dots is written in quotes and brackets, "[a.b]".
 * @param budgets Budgets that breakers share, by name; those charge to one that name it in charge-to.
 * @param health What breakers do to the health of the application.
 * @param web What the clients of a web application are told when a breaker refuses a call.
 * @param prices What models cost, so that the money of a call can be worked out from the tokens that it used.
 * @param ledger Where budgets are kept.
 */
@ConfigurationProperties("guardedby")
record GuardedByProperties(
        @DefaultValue("true") boolean enabled,
        @DefaultValue("near-miss") UnknownName unknownName,
        @Nullable Integer aspectOrder,
        @DefaultValue Breaker defaults,
        @DefaultValue Map<String, Breaker> templates,
        @DefaultValue Map<String, Breaker> breakers,
        @DefaultValue Map<String, Budget> budgets,
        @DefaultValue Health health,
        @DefaultValue Web web,
        @DefaultValue Prices prices,
        @DefaultValue Ledger ledger) {

    /**
     * Settings of a breaker, as far as they are written; what is not, the core knows best. The defaults that the IDE shows are
     * in {@code additional-spring-configuration-metadata.json}, where a test holds them to those of the core.
     *
     * @param template Template whose settings apply where this entry says nothing.
     * @param failureThreshold Consecutive failures at which the breaker opens, at least 1. The default gives way to a
     *     failure-rate-threshold; a value that is written stands beside it.
     * @param failureRateThreshold Share of failures in the window, in percent, at which the breaker opens, above 0 and at
     *     most 100. By default, no share does.
     * @param slowCallDuration How long a call may run before it counts as slow, even while it still runs, above 0 and at most
     *     10 years. Needs a slow-call-rate-threshold. By default, no call is slow.
     * @param slowCallRateThreshold Share of slow calls in the window, in percent, at which the breaker opens, above 0 and at
     *     most 100. Needs a slow-call-duration. By default, no share does.
     * @param window What the rates are of: the last calls as a whole number, at least 1, or the last time as a duration, such
     *     as 60s, above 0 and at most 10 years.
     * @param minimumCalls Calls that must be in before a rate decides, at least 1 and at most a window of calls. A smaller
     *     window of calls makes the default smaller, too.
     * @param recoveryTimeout How long the breaker stays open before a probe may pass, above 0 and at most 10 years.
     * @param recoveryBackoffMultiplier Factor by which the wait grows with each recovery that fails in a row, at least 1.
     * @param maxRecoveryTimeout Longest wait, however often recoveries fail and whatever the remote asks for, at least the
     *     recovery-timeout and at most 10 years. By default, 10 times the recovery-timeout.
     * @param recoveryJitter Share of the wait that chance may take off, so that instances do not probe all at once, at least
     *     0 and below 1. By default, 0.2 with a recovery-backoff-multiplier above 1, else 0.
     * @param rampUp How long after a recovery only a growing share of the calls passes, from a tenth to all, above 0 and at
     *     most 10 years. By default, all of them pass at once.
     * @param probes Calls that may pass while half-open, to find out whether the remote has recovered, at least 1.
     * @param successesToClose Successful probes that close the breaker, 1 to the number of probes. By default, all of them.
     * @param probeTimeout How long a probe keeps its slot before another caller may take it over, above 0 and at most 10
     *     years.
     * @param recordExceptions Exceptions that count as failures, with their subclasses. If any are given, every other
     *     exception counts as a success.
     * @param ignoreExceptions Exceptions that count neither as failure nor as success, with their subclasses. They win over
     *     record-exceptions.
     * @param tripExceptions Exceptions of which one is enough to open the breaker, with their subclasses.
     * @param tripOn Answers of the remote of which one is enough to open the breaker: when to come back, a quota that is
     *     exhausted, a key that is revoked. Leave key-revoked out where calls are made with the keys of customers. An empty
     *     list switches it off.
     * @param mode Whether the breaker refuses calls, only watches and reports, or is off.
     * @param maxKeys Most keys that have a breaker of their own, where the annotation says key, at least 1. Idle ones are
     *     forgotten to make room for others; when all are open or counting, further keys share the breaker of the name.
     * @param tagKeys Keys that get series of their own in guardedby.key.calls, guardedby.key.rejections and the gauges of
     *     guardedby.key.budget, the first so many that are called, at least 0. All further ones share the key "other", which has no
     *     budget.
     * @param budgets How much calls may cost, by name of the budget. What the places of a breaker say of one name adds up to one
     *     budget. By default, as much as they do.
     * @param chargeTo Names of entries of guardedby.budgets that this breaker charges to, too. By default, to none.
     * @param estimatePerCall What a call may cost where nothing better is known; so much is held of each budget until the call has
     *     ended. By default, nobody knows: calls pass while anything is left, and what is under way may pass the limit.
     * @param holdTimeout After how long a call that has not ended counts as having cost what it holds, above 0 and at most 10
     *     years.
     * @param chargeOnFailure Exceptions after which a call costs what it held, because the remote may have done its work, with
     *     their subclasses. An empty list says that a failed call costs what was recorded. By default, timeouts of reading,
     *     not those of connecting.
     */
    record Breaker(
            @Name("extends") @Nullable String template,
            @Nullable Integer failureThreshold,
            @Nullable Double failureRateThreshold,
            @Nullable Duration slowCallDuration,
            @Nullable Double slowCallRateThreshold,
            @Nullable RateWindow window,
            @Nullable Integer minimumCalls,
            @Nullable Duration recoveryTimeout,
            @Nullable Double recoveryBackoffMultiplier,
            @Nullable Duration maxRecoveryTimeout,
            @Nullable Double recoveryJitter,
            @Nullable Duration rampUp,
            @Nullable Integer probes,
            @Nullable Integer successesToClose,
            @Nullable Duration probeTimeout,
            @DefaultValue List<Class<? extends Throwable>> recordExceptions,
            @DefaultValue List<Class<? extends Throwable>> ignoreExceptions,
            @DefaultValue List<Class<? extends Throwable>> tripExceptions,
            @Nullable List<Proof> tripOn,
            @Nullable Mode mode,
            @Nullable Integer maxKeys,
            @Nullable Integer tagKeys,
            @DefaultValue Map<String, Budget> budgets,
            @DefaultValue List<String> chargeTo,
            @Nullable Estimate estimatePerCall,
            @Nullable Duration holdTimeout,
            @Nullable List<Class<? extends Throwable>> chargeOnFailure) {

        private static void atLeast(int least, String key, @Nullable Integer value) {
            if (value != null && value < least) {
                throw new IllegalArgumentException(key + " must be at least " + least + ", but was " + value);
            }
        }

        /** The keys that are none of a breaker's own settings, with what is in force. */
        Map<String, Integer> ofKeys() {
            return Map.of(
                    Schema.MAX_KEYS,
                    maxKeys == null ? ConfiguredBreakers.DEFAULT_MAX_KEYS : maxKeys,
                    Schema.TAG_KEYS,
                    tagKeys == null ? 0 : tagKeys);
        }

        /**
         * Tells a builder what is written here, but for budgets, and leaves it the rest.
         *
         * @throws IllegalArgumentException if a value is wrong of which the builder does not know; it tells of the others itself
         */
        void applyTo(CircuitBreaker.Builder breaker) {
            atLeast(1, Schema.MAX_KEYS, maxKeys);
            atLeast(0, Schema.TAG_KEYS, tagKeys);
            set(failureThreshold, breaker::failureThreshold);
            set(failureRateThreshold, breaker::failureRateThreshold);
            set(slowCallDuration, breaker::slowCallDuration);
            set(slowCallRateThreshold, breaker::slowCallRateThreshold);
            set(window, written -> written.applyTo(breaker));
            set(minimumCalls, breaker::minimumCalls);
            set(recoveryTimeout, breaker::recoveryTimeout);
            set(recoveryBackoffMultiplier, breaker::recoveryBackoffMultiplier);
            set(maxRecoveryTimeout, breaker::maxRecoveryTimeout);
            set(recoveryJitter, breaker::recoveryJitter);
            set(rampUp, breaker::rampUp);
            set(probes, breaker::probes);
            set(successesToClose, breaker::successesToClose);
            set(probeTimeout, breaker::probeTimeout);
            set(mode, breaker::mode);
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
            // Unlike the rules for exceptions: an empty list says that no answer is proof.
            set(tripOn, written -> breaker.tripOn(written.toArray(Proof[]::new)));
            set(estimatePerCall, written -> breaker.estimatePerCall(written.cost()));
            set(holdTimeout, breaker::holdTimeout);
            // An empty list says something here, too: that no failure is charged.
            set(chargeOnFailure, written -> breaker.chargeOnFailure(array(written)));
        }

        private static <T> void set(@Nullable T written, Consumer<? super T> setting) {
            if (written != null) {
                setting.accept(written);
            }
        }

        @SuppressWarnings({"unchecked", "rawtypes"}) // Java has no array of a generic type
        private static Class<? extends Throwable>[] array(List<Class<? extends Throwable>> types) {
            return types.toArray(new Class[0]);
        }
    }

    /**
     * A budget: how much calls may cost in a window.
     *
     * @param usd US dollars that may be spent in a window, 0 to 9223372036 with at most 9 decimals. Exactly one of usd, tokens and
     *     calls is needed; 0 refuses all calls.
     * @param tokens Tokens that may be spent in a window, input and output together, at least 0.
     * @param calls Calls that may be made in a window, at least 0.
     * @param window What the limit is for: hour, day, week, month, lifetime, a call with all that is guarded inside it, or a length
     *     such as 10m, of which the last so much time counts, above 0 and at most 10 years.
     * @param zone Whose hours, days, weeks and months these are, such as Europe/Berlin. By default, UTC.
     * @param warnAt Percentages of the limit at which a warning is logged, once a window: 1 to 100, ascending.
     * @param degradeAt Percentage of the limit from which on a cheaper model is advised, 1 to 100. By default, never.
     * @param degradeTo Name of the cheaper model that is then used by the clients that can switch, such as gpt-4.1-nano. By default, that
     *     is left to the application.
     * @param requireEstimate Whether calls are refused whose cost in this unit nobody can estimate.
     */
    record Budget(
            @Nullable BigDecimal usd,
            @Nullable Long tokens,
            @Nullable Long calls,
            @Nullable String window,
            @Nullable ZoneId zone,
            @DefaultValue List<Integer> warnAt,
            @Nullable Integer degradeAt,
            @Nullable String degradeTo,
            @DefaultValue("false") boolean requireEstimate) {}

    /**
     * What a call may cost.
     *
     * @param usd US dollars, above 0 and at most 1000000. By default, nobody knows.
     * @param tokens Tokens, input and output together, at least 1 and at most 1000000000000. By default, nobody knows.
     */
    record Estimate(@Nullable BigDecimal usd, @Nullable Long tokens) {
        private static final BigDecimal MOST_USD = BigDecimal.valueOf(1_000_000);
        private static final long MOST_TOKENS = 1_000_000_000_000L;

        /**
         * The estimate as the core takes it, which counts tokens of both directions together.
         *
         * @throws IllegalArgumentException if it is out of range
         */
        Cost cost() {
            if (usd != null && (usd.signum() <= 0 || usd.compareTo(MOST_USD) > 0)) {
                throw new IllegalArgumentException(
                        Schema.ESTIMATE + ".usd must be above 0 and at most " + MOST_USD + ", but was " + usd);
            }
            if (tokens != null && (tokens < 1 || tokens > MOST_TOKENS)) {
                throw new IllegalArgumentException(Schema.ESTIMATE + ".tokens must be at least 1 and at most "
                        + MOST_TOKENS + ", but was " + tokens);
            }
            return Cost.of(tokens == null ? 0 : tokens, 0, usd == null ? BigDecimal.ZERO : usd);
        }
    }

    /**
     * Health.
     *
     * @param downWhenOpen Whether an open breaker that refuses calls reports DOWN. Off by default, because the outage of a
     *     remote should not take this application out of service.
     */
    record Health(@DefaultValue("false") boolean downWhenOpen) {}

    /**
     * Web answers.
     *
     * @param problemDetails Whether a refusal that no exception handler of the application takes is answered with a problem
     *     detail, 503 or, if a budget is spent, 429, and Retry-After. Off by default: it is then answered as any other exception.
     * @param showName Whether that answer tells the name of the breaker. Off by default, because clients need not know
     *     what stands behind the application.
     */
    record Web(
            @DefaultValue("false") boolean problemDetails,
            @DefaultValue("false") boolean showName) {}

    /**
     * Where budgets are kept.
     *
     * @param type Kind of store. A bean of type Ledger takes its place.
     */
    record Ledger(@DefaultValue("memory") LedgerType type) {}

    /** The kinds of stores. */
    enum LedgerType {
        /** The memory of the process, which forgets what was spent when it ends. */
        MEMORY
    }

    /**
     * Prices.
     *
     * @param importFrom File with the prices of many models, in the format of LiteLLM's model_prices_and_context_window.json, such
     *     as file:prices.json. By default, only the models that are written here have prices.
     * @param unknown What becomes of the calls of a model without a price, where a budget is in dollars.
     * @param models What single models cost, in US dollars for a million tokens. They win over what is imported, for snapshots of
     *     the model, too.
     */
    record Prices(
            @Name("import") @Nullable String importFrom,
            @DefaultValue("reject") UnknownModel unknown,
            @DefaultValue List<Model> models) {}

    /**
     * The prices of one model, in US dollars for a million tokens; those of a length or a tier stand below it.
     *
     * @param model Name of the model, also found with a provider before it or a date behind it.
     * @param aliases Other names of it.
     * @param from Day from which on these prices hold, from midnight UTC. By default, from ever.
     * @param input Tokens sent.
     * @param cachedInput Tokens read from a cache. By default, the price of input.
     * @param cacheWrite Tokens written to a cache for some minutes. By default, the price of input.
     * @param cacheWrite1h Tokens written to a cache for an hour or more. By default, the price of cache-write.
     * @param output Tokens received.
     * @param reasoning Tokens thought and not said. By default, the price of output.
     * @param audioInput Tokens of sound sent. By default, the price of input.
     * @param audioOutput Tokens of sound received. By default, the price of output.
     * @param batch Prices of calls that may take hours.
     * @param flex Prices of calls that may wait.
     * @param priority Prices of calls that come before others.
     * @param above Prices of all tokens of calls with a long prompt.
     * @param units US dollars for one of what is counted other than in tokens: image, second, character, request, web-search.
     */
    record Model(
            @Nullable String model,
            @DefaultValue List<String> aliases,
            @Nullable LocalDate from,
            @Nullable BigDecimal input,
            @Nullable BigDecimal cachedInput,
            @Nullable BigDecimal cacheWrite,
            @Name("cache-write-1h") @Nullable BigDecimal cacheWrite1h,
            @Nullable BigDecimal output,
            @Nullable BigDecimal reasoning,
            @Nullable BigDecimal audioInput,
            @Nullable BigDecimal audioOutput,
            @Nullable Tier batch,
            @Nullable Tier flex,
            @Nullable Tier priority,
            @DefaultValue List<LongPrompt> above,
            @DefaultValue Map<String, BigDecimal> units) {}

    /**
     * The prices of a tier, in US dollars for a million tokens.
     *
     * @param factor What the standard price is multiplied by where the tier has none of its own.
     * @param input Tokens sent.
     * @param cachedInput Tokens read from a cache.
     * @param cacheWrite Tokens written to a cache for some minutes.
     * @param cacheWrite1h Tokens written to a cache for an hour or more.
     * @param output Tokens received.
     * @param reasoning Tokens thought and not said.
     * @param audioInput Tokens of sound sent.
     * @param audioOutput Tokens of sound received.
     */
    record Tier(
            @Nullable BigDecimal factor,
            @Nullable BigDecimal input,
            @Nullable BigDecimal cachedInput,
            @Nullable BigDecimal cacheWrite,
            @Name("cache-write-1h") @Nullable BigDecimal cacheWrite1h,
            @Nullable BigDecimal output,
            @Nullable BigDecimal reasoning,
            @Nullable BigDecimal audioInput,
            @Nullable BigDecimal audioOutput) {}

    /**
     * The prices of calls with a long prompt, in US dollars for a million tokens.
     *
     * @param tokens A prompt with more tokens than this is long, at least 1.
     * @param input Tokens sent.
     * @param cachedInput Tokens read from a cache.
     * @param cacheWrite Tokens written to a cache for some minutes.
     * @param cacheWrite1h Tokens written to a cache for an hour or more.
     * @param output Tokens received.
     * @param reasoning Tokens thought and not said.
     * @param audioInput Tokens of sound sent.
     * @param audioOutput Tokens of sound received.
     */
    record LongPrompt(
            @Nullable Long tokens,
            @Nullable BigDecimal input,
            @Nullable BigDecimal cachedInput,
            @Nullable BigDecimal cacheWrite,
            @Name("cache-write-1h") @Nullable BigDecimal cacheWrite1h,
            @Nullable BigDecimal output,
            @Nullable BigDecimal reasoning,
            @Nullable BigDecimal audioInput,
            @Nullable BigDecimal audioOutput) {}
}
