package dev.guardedby.spring.aop;

import dev.guardedby.circuitbreaker.Advice;
import dev.guardedby.circuitbreaker.Cost;
import dev.guardedby.spring.CostRecorder;
import java.lang.StackWalker.StackFrame;
import java.math.BigDecimal;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;

/** The recorder that is injected: hands every record to the call that the current thread is in. */
final class CurrentCallCostRecorder implements CostRecorder {
    private final CostRecorder outside;

    CurrentCallCostRecorder(LostCosts lost) {
        this.outside = new Outside(lost.outside());
    }

    @Override
    public void record(long inputTokens, long outputTokens, BigDecimal usd) {
        current().record(inputTokens, outputTokens, usd);
    }

    @Override
    public void record(Cost cost) {
        current().record(cost);
    }

    @Override
    public CostRecorder current() {
        GuardedCall call = GuardedCall.innermost();
        return call == null ? outside : call;
    }

    @Override
    public Optional<Advice> advice() {
        return current().advice();
    }

    /** Where there is no call to record on. */
    private static final class Outside implements CostRecorder {
        private static final Log LOG = LogFactory.getLog(CostRecorder.class);
        // Past these nothing is looked up any more: finding the caller costs more than all else here.
        private static final int MOST_CALL_SITES = 256;

        private final LongAdder lost;
        private final Set<String> warned = ConcurrentHashMap.newKeySet();

        Outside(LongAdder lost) {
            this.lost = lost;
        }

        @Override
        public void record(long inputTokens, long outputTokens, BigDecimal usd) {
            lost();
        }

        @Override
        public void record(Cost cost) {
            lost();
        }

        @Override
        public CostRecorder current() {
            return this;
        }

        @Override
        public Optional<Advice> advice() {
            return Optional.empty();
        }

        private void lost() {
            lost.increment();
            if (warned.size() >= MOST_CALL_SITES) {
                return;
            }
            String callSite = StackWalker.getInstance()
                    .walk(frames -> frames.filter(Outside::isCaller).findFirst().map(StackFrame::toString))
                    .orElse("a thread without a stack");
            if (warned.add(callSite)) {
                LOG.warn("A cost was recorded outside every guarded call, at " + callSite
                        + ": it is lost. Record it inside"
                        + " a @GuardedBy method; on another thread, by the handle that current() gives inside it. Further"
                        + " ones from there are counted and not logged.");
            }
        }

        private static boolean isCaller(StackFrame frame) {
            return !frame.getClassName().startsWith(CurrentCallCostRecorder.class.getName());
        }
    }
}
