package dev.guardedby.spring.aop;

import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;

/** Tells the user of a start-up that failed over an annotation what to write instead. */
final class InvalidGuardFailureAnalyzer extends AbstractFailureAnalyzer<InvalidGuardException> {

    @Override
    protected FailureAnalysis analyze(Throwable rootFailure, InvalidGuardException cause) {
        return new FailureAnalysis(cause.description() + ".", cause.action() + ".", cause);
    }
}
