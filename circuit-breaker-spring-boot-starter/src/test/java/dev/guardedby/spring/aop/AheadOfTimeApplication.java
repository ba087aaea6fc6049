package dev.guardedby.spring.aop;

import dev.guardedby.circuitbreaker.CallNotPermittedException;
import dev.guardedby.spring.GuardedBy;
import dev.guardedby.spring.config.GuardedByAutoConfiguration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.springframework.aop.support.AopUtils;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.ImportAutoConfiguration;
import org.springframework.boot.autoconfigure.aop.AopAutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;

/** An application that uses everything a guard can be told, and says on standard output how it went. */
@Configuration(proxyBeanMethods = false)
@ImportAutoConfiguration({
    AopAutoConfiguration.class,
    GuardedByAutoConfiguration.class,
    GuardedByAopAutoConfiguration.class
})
@Import({AheadOfTimeApplication.Assistant.class, Guarded.Time.class})
@SuppressWarnings({"UnusedMethod", "UnusedVariable"}) // fallbacks are found by name
class AheadOfTimeApplication {
    /** What a line of the story begins with, so that it is not taken for a line of the log. */
    static final String MARK = "story: ";

    public static void main(String[] arguments) {
        try (ConfigurableApplicationContext context = run(arguments)) {
            story(context).forEach(line -> System.out.println(MARK + line));
        }
    }

    static ConfigurableApplicationContext run(String... arguments) {
        SpringApplication application = new SpringApplication(AheadOfTimeApplication.class);
        application.setWebApplicationType(WebApplicationType.NONE);
        application.setDefaultProperties(Map.of(
                "guardedby.templates.brittle.failure-threshold",
                "2",
                "guardedby.templates.brittle.ignore-exceptions",
                Ignored.class.getName(),
                "guardedby.breakers.llm.extends",
                "brittle"));
        return application.run(arguments);
    }

    static List<String> story(ConfigurableApplicationContext context) {
        Assistant assistant = context.getBean(Assistant.class);
        List<String> story = new ArrayList<>();
        story.add("class proxy " + AopUtils.isCglibProxy(assistant));
        story.add(assistant.ask("why"));
        story.add(Guarded.bill(context, "llm"));
        story.add(outcome(() -> assistant.ask("ignored")));
        story.add(assistant.later().toCompletableFuture().join());
        story.add(assistant.ask("fail"));
        story.add(assistant.ask("fail"));
        story.add(assistant.ask("why"));
        story.add(outcome(() -> assistant.later().toCompletableFuture().join()));
        story.add(Guarded.history(context, "llm"));
        Bank bank = context.getBean(Bank.class);
        story.add("interface proxy " + AopUtils.isJdkDynamicProxy(bank));
        story.add(bank.pay());
        story.add(Guarded.history(context, "bank"));
        return story;
    }

    private static String outcome(Supplier<String> call) {
        try {
            return call.get();
        } catch (RuntimeException e) {
            Throwable root = e.getCause() == null ? e : e.getCause();
            return root.getClass().getSimpleName();
        }
    }

    @Bean
    Bank bank() {
        return new SwissBank();
    }

    @Bean
    @ConditionalOnBooleanProperty("misguided")
    Misguided misguided() {
        return new Misguided();
    }

    static final class Ignored extends RuntimeException {
        private static final long serialVersionUID = 1;
    }

    static class Assistant {
        @GuardedBy(name = "llm", fallback = "canned", cost = "#result.length() * 0.01")
        public String ask(String question) {
            switch (question) {
                case "ignored" -> throw new Ignored();
                case "fail" -> throw new IllegalStateException("down");
                default -> {
                    return "because";
                }
            }
        }

        @GuardedBy("llm") public CompletionStage<String> later() {
            return CompletableFuture.completedFuture("later");
        }

        private String canned(String question, IllegalStateException failure) {
            return "canned for " + failure.getMessage();
        }

        private String canned(String question, CallNotPermittedException refusal) {
            return "refused by " + refusal.name();
        }
    }

    interface Bank {
        @GuardedBy(name = "bank", fallback = "fromVault") String pay();

        default String fromVault() {
            return "from the vault";
        }
    }

    static class SwissBank implements Bank {
        @Override
        public String pay() {
            throw new IllegalStateException("closed");
        }
    }

    static class Misguided {
        @GuardedBy(name = "llm", fallback = "nowhere") public String ask() {
            return "";
        }
    }
}
