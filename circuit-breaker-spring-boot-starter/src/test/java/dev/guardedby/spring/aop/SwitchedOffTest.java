package dev.guardedby.spring.aop;

import static dev.guardedby.spring.aop.Guarded.application;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.guardedby.circuitbreaker.Cost;
import dev.guardedby.spring.CostRecorder;
import dev.guardedby.spring.GuardedBy;
import java.math.BigDecimal;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.aop.Advisor;
import org.springframework.aop.support.AopUtils;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;

@ExtendWith(OutputCaptureExtension.class)
final class SwitchedOffTest {

    @Test
    void nothingIsGuarded_andTheRecorderIsInert(CapturedOutput output) {
        application(Remote.class).withPropertyValues("guardedby.enabled=false").run(context -> {
            assertThat(context).hasNotFailed().doesNotHaveBean(Advisor.class).doesNotHaveBean(StartupCheck.class);
            Remote remote = context.getBean(Remote.class);
            assertThat(AopUtils.isAopProxy(remote)).isFalse();
            for (int i = 0; i < 5; i++) {
                assertThatIllegalStateException().isThrownBy(remote::call).withMessage("down");
            }
            context.getBean(CostRecorder.class).current().record(Cost.usd("1"));
            assertThat(output.getAll()).doesNotContain("outside every guarded call");
        });
    }

    static class Remote {
        private final CostRecorder costs;

        Remote(CostRecorder costs) {
            this.costs = costs;
        }

        @GuardedBy(name = "lln", fallback = "missing", cost = "broken(") public void call() {
            costs.record(-1, 1, BigDecimal.ONE);
            throw new IllegalStateException("down");
        }
    }
}
