package dev.guardedby.spring.aop;

import dev.guardedby.circuitbreaker.CircuitBreakerRegistry;
import dev.guardedby.circuitbreaker.Prices;
import dev.guardedby.spring.CostRecorder;
import dev.guardedby.spring.GuardedBy;
import dev.guardedby.spring.config.ConfiguredBreakers;
import dev.guardedby.spring.config.ConfiguredPrices;
import dev.guardedby.spring.config.GuardedByAutoConfiguration;
import dev.guardedby.spring.keys.Keys;
import dev.guardedby.spring.models.ModelCalls;
import dev.guardedby.spring.models.ModelRequestReader;
import dev.guardedby.spring.usage.UsageExtractor;
import java.util.function.LongSupplier;
import org.aopalliance.aop.Advice;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.Advisor;
import org.springframework.aop.Pointcut;
import org.springframework.aop.support.DefaultPointcutAdvisor;
import org.springframework.beans.factory.BeanFactory;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.beans.factory.config.BeanDefinition;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.context.properties.bind.BindException;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.context.annotation.Role;
import org.springframework.core.Ordered;
import org.springframework.core.env.Environment;

/**
 * Guards the methods that carry {@link GuardedBy}, unless {@code guardedby.enabled} is false.
 *
 * <p>Two advisors: the fallback far out, with order {@value #FALLBACK_ORDER}, and the guard with order
 * {@value #GUARD_ORDER}. From there {@link AdvisorOrder} puts their neighbours in place; where {@code guardedby.aspect-order}
 * is set, both have that number instead, and nothing else moves.
 */
// Before: the breakers that code names are made first, in the spelling of the code.
@AutoConfiguration(before = GuardedByAutoConfiguration.class)
public final class GuardedByAopAutoConfiguration {
    /** Outside everything that has no order, and inside method security, whose refusals are no failures. */
    static final int FALLBACK_ORDER = Ordered.LOWEST_PRECEDENCE - 1000;

    /** Outside transactions and caches, which come last of all. */
    static final int GUARD_ORDER = Ordered.LOWEST_PRECEDENCE - 1;

    private static final String ASPECT_ORDER = "guardedby.aspect-order";

    @Bean
    @ConditionalOnMissingBean
    CostRecorder guardedByCostRecorder(ObjectProvider<LostCosts> guarding) {
        LostCosts lost = guarding.getIfAvailable();
        return lost == null ? new InertCostRecorder() : new CurrentCallCostRecorder(lost);
    }

    @Bean
    @ConditionalOnMissingBean
    ModelCalls guardedByModelCalls(ObjectProvider<UsageCosts> guarding) {
        UsageCosts usages = guarding.getIfAvailable();
        return usages == null ? new UnguardedModelCalls() : new ModelSteps(usages);
    }

    // Parameters have the names of the beans that they stand for, and so are found by name. By type, every bean of the
    // application would be looked at for each of them, because these are made before all others.
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnBooleanProperty(name = "guardedby.enabled", matchIfMissing = true)
    @Import(AutoProxying.class)
    @Role(BeanDefinition.ROLE_INFRASTRUCTURE)
    static final class Guarding {

        @Bean
        @Role(BeanDefinition.ROLE_INFRASTRUCTURE)
        static Declarations guardedByDeclarations() {
            return new Declarations();
        }

        @Bean
        @Role(BeanDefinition.ROLE_INFRASTRUCTURE)
        static BreakerNames guardedByBreakerNames(
                Declarations guardedByDeclarations,
                ObjectProvider<CircuitBreakerRegistry> registry,
                ObjectProvider<ConfiguredBreakers> configuration,
                ConfigurableListableBeanFactory beans) {
            return new BreakerNames(guardedByDeclarations, registry, configuration, beans);
        }

        @Bean
        @Role(BeanDefinition.ROLE_INFRASTRUCTURE)
        static LostCosts guardedByLostCosts() {
            return new LostCosts();
        }

        @Bean
        @Role(BeanDefinition.ROLE_INFRASTRUCTURE)
        static Keys guardedByKeys(
                ObjectProvider<ConfiguredBreakers> configuration,
                @Qualifier("guardedByTicker") ObjectProvider<LongSupplier> ticker,
                ConfigurableListableBeanFactory beans) {
            return new Keys(configuration, ticker, beans.getBeanClassLoader());
        }

        @Bean
        @Role(BeanDefinition.ROLE_INFRASTRUCTURE)
        static GuardedMethods guardedByMethods(
                Declarations guardedByDeclarations,
                BreakerNames guardedByBreakerNames,
                LostCosts guardedByLostCosts,
                Keys guardedByKeys,
                UsageCosts guardedByUsageCosts,
                ModelArguments guardedByModelArguments) {
            return new GuardedMethods(
                    guardedByDeclarations,
                    guardedByBreakerNames,
                    guardedByLostCosts,
                    guardedByUsageCosts,
                    guardedByModelArguments,
                    guardedByKeys);
        }

        @Bean
        @Role(BeanDefinition.ROLE_INFRASTRUCTURE)
        static UsageCosts guardedByUsageCosts(
                LostCosts guardedByLostCosts,
                ObjectProvider<UsageExtractor> extractors,
                ObjectProvider<Prices> prices,
                ObjectProvider<ConfiguredPrices> configured) {
            return new UsageCosts(extractors, Pricing.of(prices, configured), guardedByLostCosts);
        }

        @Bean
        @Role(BeanDefinition.ROLE_INFRASTRUCTURE)
        static ModelArguments guardedByModelArguments(
                LostCosts guardedByLostCosts,
                UsageCosts guardedByUsageCosts,
                ObjectProvider<ModelRequestReader> requestReaders) {
            return new ModelArguments(requestReaders, guardedByUsageCosts.pricing(), guardedByLostCosts);
        }

        @Bean
        @Role(BeanDefinition.ROLE_INFRASTRUCTURE)
        static ForeignProxies guardedByForeignProxies(Declarations guardedByDeclarations) {
            return new ForeignProxies(guardedByDeclarations);
        }

        @Bean
        @Role(BeanDefinition.ROLE_INFRASTRUCTURE)
        static Advisor guardedByAdvisor(
                Declarations guardedByDeclarations, GuardedMethods guardedByMethods, Environment environment) {
            Integer order = aspectOrder(environment);
            return advisor(
                    new GuardPointcut(guardedByDeclarations, false),
                    new GuardInterceptor(guardedByMethods),
                    order == null ? GUARD_ORDER : order);
        }

        @Bean
        @Role(BeanDefinition.ROLE_INFRASTRUCTURE)
        static Advisor guardedByFallbackAdvisor(
                Declarations guardedByDeclarations, GuardedMethods guardedByMethods, Environment environment) {
            Integer order = aspectOrder(environment);
            return advisor(
                    new GuardPointcut(guardedByDeclarations, true),
                    new FallbackInterceptor(guardedByMethods),
                    order == null ? FALLBACK_ORDER : order);
        }

        @Bean
        @Role(BeanDefinition.ROLE_INFRASTRUCTURE)
        static AdvisorOrder guardedByAdvisorOrder(Declarations guardedByDeclarations, Environment environment) {
            return new AdvisorOrder(guardedByDeclarations, aspectOrder(environment));
        }

        @Bean
        @Role(BeanDefinition.ROLE_INFRASTRUCTURE)
        static StartupCheck guardedByStartupCheck(
                Declarations guardedByDeclarations,
                GuardedMethods guardedByMethods,
                BreakerNames guardedByBreakerNames,
                BeanFactory beans) {
            return new StartupCheck(guardedByDeclarations, guardedByMethods, guardedByBreakerNames, beans);
        }

        private static @Nullable Integer aspectOrder(Environment environment) {
            try {
                return Binder.get(environment).bind(ASPECT_ORDER, Integer.class).orElse(null);
            } catch (BindException e) {
                // Advisors come first of all. Whoever reads the whole configuration is about to refuse this, in better
                // words.
                return null;
            }
        }

        private static Advisor advisor(Pointcut pointcut, Advice advice, int order) {
            DefaultPointcutAdvisor advisor = new DefaultPointcutAdvisor(pointcut, advice);
            advisor.setOrder(order);
            return advisor;
        }
    }
}
