package dev.guardedby.spring.actuate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.lang.management.ManagementFactory;
import java.util.Map;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import javax.management.ReflectionException;
import org.junit.jupiter.api.Test;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Configuration;

class EndpointOverJmxTest {
    private final MBeanServer server = ManagementFactory.getPlatformMBeanServer();

    @Test
    void operator_readsAndMoves_andIsToldWhatIsWrong() throws Exception {
        try (ConfigurableApplicationContext context = new SpringApplicationBuilder(App.class)
                .properties(
                        "spring.main.web-application-type=none",
                        "spring.jmx.enabled=true",
                        "management.endpoints.jmx.exposure.include=guardedby",
                        "management.endpoint.guardedby.access=unrestricted",
                        "guardedby.breakers.llm.failure-threshold=3")
                .run()) {
            assertThat(context.isRunning()).isTrue();
            assertThat(keys(invoke("breakers"))).isEqualTo("[instance, breakers]");
            assertThat(invoke("breaker", "llm", null)).asString().contains("state=CLOSED");
            assertThat(invoke("breaker", "nobody", null)).isNull();
            assertThat(invoke("operate", "llm", "hold-open", null, null, null, null, null, null, null))
                    .asString()
                    .contains("reason=HELD_OPEN");
            assertThat(invoke("operate", "llm", "reconfigure", null, "window=7", null, null, null, null, null))
                    .asString()
                    .contains("window={value=7, from=runtime}");
            assertThat(invoke("operate", "nobody", "reset", null, null, null, null, null, null, null))
                    .isNull();
            assertThatExceptionOfType(ReflectionException.class)
                    .isThrownBy(() -> invoke("operate", "llm", "explode", null, null, null, null, null, null, null))
                    .withMessage("action must be one of force-open, hold-open, force-close, reset, mode,"
                            + " set-limit, adjust, reconfigure, but was 'explode'");
        }
    }

    @Test
    void operator_looksAtPrices_andHasThemReadAgain() throws Exception {
        try (ConfigurableApplicationContext context = new SpringApplicationBuilder(App.class)
                .properties(
                        "spring.main.web-application-type=none",
                        "spring.jmx.enabled=true",
                        "management.endpoints.jmx.exposure.include=guardedbyprices",
                        "management.endpoint.guardedbyprices.access=unrestricted",
                        "guardedby.prices.models[0].model=house-model",
                        "guardedby.prices.models[0].input=3")
                .run()) {
            assertThat(context.isRunning()).isTrue();
            assertThat(invokeOn("Guardedbyprices", "prices", null, null))
                    .asString()
                    .contains("models=1");
            assertThat(invokeOn("Guardedbyprices", "prices", "house-model", null))
                    .asString()
                    .contains("input=3");
            assertThat(invokeOn("Guardedbyprices", "prices", "other", null)).isNull();
            assertThat(invokeOn("Guardedbyprices", "reload")).asString().contains("models=1");
            assertThatExceptionOfType(ReflectionException.class)
                    .isThrownBy(() -> invokeOn("Guardedbyprices", "prices", "house-model", "many"))
                    .withMessage("inputTokens must be a whole number, at least 0, but was 'many'");
        }
    }

    private static String keys(Object answer) {
        return ((Map<?, ?>) answer).keySet().toString();
    }

    private Object invoke(String operation, Object... arguments) throws Exception {
        return invokeOn("Guardedby", operation, arguments);
    }

    private Object invokeOn(String endpoint, String operation, Object... arguments) throws Exception {
        ObjectName name = server.queryNames(
                        new ObjectName("org.springframework.boot:type=Endpoint,name=" + endpoint + ",*"), null)
                .iterator()
                .next();
        String[] signature = new String[arguments.length];
        java.util.Arrays.fill(signature, String.class.getName());
        return server.invoke(name, operation, arguments, signature);
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class App {}
}
