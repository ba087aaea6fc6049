package dev.guardedby.circuitbreaker;

import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * An answer that is proof by itself: after one of these the next call would fail as well, so the breaker opens at once.
 *
 * <p>The codes are those that providers document, in {@code code}, {@code type} or {@code error_code} of the error in the body;
 * case makes no difference.
 */
public enum Proof {
    /**
     * The remote says when to come back: 429 or 503 with a {@code Retry-After} that can be read (RFC 9110, 10.2.3), or with
     * {@code retry-after-ms}.
     *
     * <p>A zero means at once, so it is no proof, and the answer is an ordinary failure. A date is proof even when it has
     * passed, for the clock of the remote may be behind; the breaker then stays open for its usual wait.
     */
    RETRY_AFTER(Set.of()),

    /**
     * The money or the quota is used up, and no retry brings it back: 402, or 400, 403 or 429 with a code that says so.
     *
     * <p>OpenAI: {@code insufficient_quota}, {@code credit_balance_exhausted}, {@code organization_spend_limit_exceeded},
     * {@code project_spend_limit_exceeded}, {@code organization_usage_limit_exceeded} (its guide to error codes and its help
     * article 6614457), {@code billing_hard_limit_reached} (with 400, for images) and {@code billing_not_active}. Anthropic:
     * {@code billing_error} and {@code enforced_spend_limit_reached} (Claude API errors). LiteLLM: {@code budget_exceeded}. Also
     * {@code credit_balance_too_low}.
     */
    QUOTA_EXHAUSTED(Set.of(
            "insufficient_quota",
            "credit_balance_exhausted",
            "credit_balance_too_low",
            "organization_spend_limit_exceeded",
            "project_spend_limit_exceeded",
            "organization_usage_limit_exceeded",
            "billing_hard_limit_reached",
            "billing_not_active",
            "billing_error",
            "enforced_spend_limit_reached",
            "budget_exceeded")),

    /**
     * The key is no longer good for anything: 401 with a code that says so. A 401 without one is no proof: it may be one
     * request without its header, or a token that is about to be renewed.
     *
     * <p>OpenAI: {@code invalid_api_key} and {@code account_deactivated}. Anthropic: {@code authentication_error}, for a key that
     * is malformed, revoked or expired (Claude API errors). Moonshot: {@code invalid_authentication_error}.
     *
     * <p>Leave this one out where an application calls with the keys of its customers: the revoked key of one of them would
     * stop everybody.
     */
    KEY_REVOKED(
            Set.of("invalid_api_key", "account_deactivated", "authentication_error", "invalid_authentication_error"));

    // What tells people most comes first: a 429 for want of money may carry a Retry-After, too.
    private static final List<Proof> MOST_TELLING_FIRST = List.of(QUOTA_EXHAUSTED, KEY_REVOKED, RETRY_AFTER);

    @SuppressWarnings("ImmutableEnumChecker") // Set.of makes what never changes
    private final Set<String> codes;

    Proof(Set<String> codes) {
        this.codes = codes;
    }

    /** What an answer proves, of what is wanted; null if nothing. */
    static @Nullable Proof in(HttpAnswer answer, @Nullable RetryAfter retryAfter, Set<Proof> wanted) {
        for (Proof proof : MOST_TELLING_FIRST) {
            if (wanted.contains(proof) && proof.holdsFor(answer, retryAfter)) {
                return proof;
            }
        }
        return null;
    }

    private boolean holdsFor(HttpAnswer answer, @Nullable RetryAfter retryAfter) {
        int status = answer.status();
        return switch (this) {
            case RETRY_AFTER -> retryAfter != null && !retryAfter.isNow();
            case QUOTA_EXHAUSTED ->
                status == 402 || ((status == 400 || status == 403 || status == 429) && says(answer));
            case KEY_REVOKED -> status == 401 && says(answer);
        };
    }

    private boolean says(HttpAnswer answer) {
        for (String code : answer.codes()) {
            if (codes.contains(code.strip().toLowerCase(Locale.ROOT))) {
                return true;
            }
        }
        return false;
    }

    /** The rule that such an answer breaks, as evidence names it: {@code trip-on retry-after}. */
    String rule() {
        return "trip-on " + name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
