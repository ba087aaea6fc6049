package dev.guardedby.spring.aop;

import dev.guardedby.circuitbreaker.Advice;
import dev.guardedby.circuitbreaker.Cost;
import dev.guardedby.spring.CostRecorder;
import java.math.BigDecimal;
import java.util.Optional;

/** The recorder of an application with {@code guardedby.enabled=false}: there is no call to record on, on purpose. */
final class InertCostRecorder implements CostRecorder {

    @Override
    public void record(long inputTokens, long outputTokens, BigDecimal usd) {}

    @Override
    public void record(Cost cost) {}

    @Override
    public CostRecorder current() {
        return this;
    }

    @Override
    public Optional<Advice> advice() {
        return Optional.empty();
    }
}
