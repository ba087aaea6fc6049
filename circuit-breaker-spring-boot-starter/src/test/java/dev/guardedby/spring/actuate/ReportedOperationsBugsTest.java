package dev.guardedby.spring.actuate;

import static dev.guardedby.spring.actuate.HttpApplication.field;
import static org.assertj.core.api.Assertions.assertThat;

import dev.guardedby.circuitbreaker.CircuitBreakerRegistry;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Bugs of health, endpoints and metrics that were reported against others, as stories with us in their place. Each test
 * begins with the report: {@code r4j} is Resilience4j's tracker.
 *
 * <p>Reports about the endpoint and about meters are in {@link EndpointOverHttpTest}, about settings in
 * {@code ReportedSettingsBugsTest}. One about hosts that are all ejected at once has nothing to fall upon: a breaker stands
 * before one remote and knows no group of hosts, of which one had to stay.
 */
final class ReportedOperationsBugsTest {

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            false | health 200 UP, health/liveness 200 UP, health/readiness 200 UP
            true  | health 503 DOWN, health/liveness 200 UP, health/readiness 200 UP
            """)
    void r4j607_everyBreakerOpen_leavesThePodsInTheLoadBalancer_unlessToldOtherwise(String downWhenOpen, String told)
            throws Exception {
        try (HttpApplication application = HttpApplication.start(
                "guardedby.health.down-when-open=" + downWhenOpen,
                "guardedby.breakers.llm.probes=1",
                "guardedby.breakers.pay.probes=1",
                "management.endpoint.health.probes.enabled=true")) {
            application.bean(CircuitBreakerRegistry.class).all().forEach(breaker -> breaker.forceOpen());
            List<String> seen = new ArrayList<>();
            for (String address : List.of("health", "health/liveness", "health/readiness")) {
                HttpApplication.Response response = application.get("/" + address);
                seen.add(address + " " + response.status() + " " + field(response.body(), "status"));
            }
            assertThat(String.join(", ", seen)).isEqualTo(told);
            assertThat(field(application.get("/health").body(), "components.guardedBy.details"))
                    .contains("\"llm\":{\"state\":\"OPEN\"", "\"pay\":{\"state\":\"OPEN\"");
        }
    }
}
