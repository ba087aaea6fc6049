package dev.guardedby.circuitbreaker;

import java.time.Instant;
import java.time.ZoneId;
import java.util.Optional;

/** The windows that no clock ends. */
enum UntimedWindow implements BudgetWindow {
    CALL("call"),
    LIFETIME("lifetime");

    /** The one account of a lifetime. */
    static final Span LIFE = new Span(Instant.MIN, Instant.MAX, LIFETIME.words);

    private final String words;

    UntimedWindow(String words) {
        this.words = words;
    }

    @Override
    public String words() {
        return words;
    }

    @Override
    public Optional<ZoneId> zone() {
        return Optional.empty();
    }

    @Override
    public String toString() {
        return words;
    }
}
