package dev.guardedby.spring.web;

import dev.guardedby.spring.config.ConfiguredBreakers;
import dev.guardedby.spring.config.GuardedByAutoConfiguration;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnWebApplication;
import org.springframework.context.ApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.http.ProblemDetail;
import org.springframework.web.bind.annotation.ControllerAdvice;

/** Refusals as problem details, in applications of Spring MVC and of WebFlux that ask for it. */
@AutoConfiguration(after = GuardedByAutoConfiguration.class)
@ConditionalOnWebApplication
@ConditionalOnClass({ControllerAdvice.class, ProblemDetail.class})
@ConditionalOnBooleanProperty(name = "guardedby.enabled", matchIfMissing = true)
@ConditionalOnBooleanProperty(name = "guardedby.web.problem-details")
public final class GuardedByWebAutoConfiguration {

    @Bean
    @ConditionalOnMissingBean(name = "guardedByRefusalAdvice")
    RefusalAdvice guardedByRefusalAdvice(ConfiguredBreakers configured) {
        return new RefusalAdvice(configured.showName());
    }

    @Bean
    @ConditionalOnBean(RefusalAdvice.class)
    AdviceCheck guardedByAdviceCheck(ApplicationContext application) {
        return new AdviceCheck(application);
    }
}
