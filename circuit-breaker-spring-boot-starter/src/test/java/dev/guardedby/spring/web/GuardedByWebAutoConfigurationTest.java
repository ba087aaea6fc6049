package dev.guardedby.spring.web;

import static org.assertj.core.api.Assertions.assertThat;

import dev.guardedby.spring.config.GuardedByAutoConfiguration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.assertj.ApplicationContextAssertProvider;
import org.springframework.boot.test.context.runner.AbstractApplicationContextRunner;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.context.runner.ReactiveWebApplicationContextRunner;
import org.springframework.boot.test.context.runner.WebApplicationContextRunner;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.web.bind.annotation.ControllerAdvice;

class GuardedByWebAutoConfigurationTest {
    private static final String ASKED_FOR = "guardedby.web.problem-details=true";

    @Test
    void springMvc_hasTheAdvice_onlyWhenAskedFor() {
        assertThat(history(WebApplicationContextRunner::new)).isEqualTo(onlyWhenAskedFor());
    }

    @Test
    void webFlux_hasTheAdvice_onlyWhenAskedFor() {
        assertThat(history(ReactiveWebApplicationContextRunner::new)).isEqualTo(onlyWhenAskedFor());
    }

    private static List<String> onlyWhenAskedFor() {
        return List.of("[]", "[]", "[]", "[]", "[guardedByRefusalAdvice]");
    }

    private static <
                    S extends AbstractApplicationContextRunner<S, C, A>,
                    C extends ConfigurableApplicationContext,
                    A extends ApplicationContextAssertProvider<C>>
            List<String> history(Supplier<S> runner) {
        return List.of(
                advices(runner.get()),
                advices(runner.get(), "guardedby.web.problem-details=false"),
                advices(runner.get(), "guardedby.web.show-name=true"),
                advices(runner.get(), ASKED_FOR, "guardedby.enabled=false"),
                advices(runner.get(), ASKED_FOR));
    }

    @Test
    void applicationWithoutTheWeb_startsAndHasNone() {
        assertThat(advices(new ApplicationContextRunner(), ASKED_FOR)).isEqualTo("[]");
    }

    @Test
    void beanOfTheApplication_takesTheNameAndThePlace() {
        assertThat(advices(
                        new WebApplicationContextRunner()
                                .withBean("guardedByRefusalAdvice", String.class, () -> "mine"),
                        ASKED_FOR))
                .isEqualTo("[]");
    }

    /** The names of the beans that are told of exceptions. */
    private static <
                    S extends AbstractApplicationContextRunner<S, C, A>,
                    C extends ConfigurableApplicationContext,
                    A extends ApplicationContextAssertProvider<C>>
            String advices(S runner, String... properties) {
        List<String> names = new ArrayList<>();
        runner.withConfiguration(
                        AutoConfigurations.of(GuardedByAutoConfiguration.class, GuardedByWebAutoConfiguration.class))
                .withPropertyValues(properties)
                .run(started -> names.addAll(
                        started.getBeansWithAnnotation(ControllerAdvice.class).keySet()));
        return names.toString();
    }
}
