package dev.guardedby.spring.config;

import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.boot.origin.Origin;

/** Tells a configuration that was refused in words, in place of a stack trace. */
final class BadConfigurationFailureAnalyzer extends AbstractFailureAnalyzer<BadConfigurationException> {

    @Override
    protected FailureAnalysis analyze(Throwable rootFailure, BadConfigurationException cause) {
        Origin origin = cause.getOrigin();
        String where = origin == null ? "" : "\n\n    Written in: " + origin;
        return new FailureAnalysis(cause.getMessage() + where, cause.action(), cause);
    }
}
