package dev.guardedby.spring.prices;

import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;

/** Tells in words why a file of prices stopped the start, in place of a stack trace. */
final class InvalidPricesFailureAnalyzer extends AbstractFailureAnalyzer<InvalidPricesException> {

    @Override
    protected FailureAnalysis analyze(Throwable rootFailure, InvalidPricesException cause) {
        return new FailureAnalysis(
                cause.getMessage(), "Correct the file, or let guardedby.prices.import name another one.", cause);
    }
}
