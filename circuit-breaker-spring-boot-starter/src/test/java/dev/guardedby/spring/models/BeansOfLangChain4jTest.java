package dev.guardedby.spring.models;

import static dev.guardedby.spring.models.Booked.bill;
import static dev.guardedby.spring.models.Booked.budget;
import static dev.guardedby.spring.models.ScriptedModel.says;
import static dev.guardedby.spring.models.ScriptedModel.used;
import static org.assertj.core.api.Assertions.assertThat;

import dev.guardedby.circuitbreaker.BudgetExceededException;
import dev.guardedby.spring.GuardedBy;
import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.openai.OpenAiChatModel;
import dev.langchain4j.model.output.TokenUsage;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.aop.framework.AopProxyUtils;
import org.springframework.aop.support.AopUtils;
import org.springframework.aot.generate.ClassNameGenerator;
import org.springframework.aot.generate.DefaultGenerationContext;
import org.springframework.aot.generate.InMemoryGeneratedFiles;
import org.springframework.aot.hint.predicate.RuntimeHintsPredicates;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.context.aot.ApplicationContextAotGenerator;
import org.springframework.javapoet.ClassName;

/** Which beans are guarded as LangChain4j's models, and as what they are then injected. */
@ExtendWith(OutputCaptureExtension.class)
class BeansOfLangChain4jTest {
    private static final String ONE_CALL = "10 in, 5 out, 0.000075 usd";

    private final ApplicationContextRunner application = Booked.application().withBean(Guard.class);
    private ScriptedModel remote;

    @BeforeEach
    void serve() throws IOException {
        remote = new ScriptedModel();
    }

    @AfterEach
    void stop() {
        remote.close();
    }

    static class Guard {
        @GuardedBy("llm") public String ask(UnaryOperator<String> model) {
            return model.apply("Why?");
        }
    }

    /** Needs the very class. */
    record Consumer(OpenAiChatModel model) {}

    /** As a proxy of a class, whatever the application has proxies of. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void bean_isStillInjectedByItsClass(boolean proxyTargetClass) {
        remote.answers(says("Because.", used(10, 0, 5)));
        application
                .withBean(OpenAiChatModel.class, () -> remote.model("gpt-4o").build())
                .withBean(Consumer.class)
                .withPropertyValues("spring.aop.proxy-target-class=" + proxyTargetClass)
                .run(context -> {
                    OpenAiChatModel model = context.getBean(Consumer.class).model();
                    assertThat(AopUtils.isCglibProxy(model)).isTrue();
                    context.getBean(Guard.class).ask(model::chat);
                    assertThat(bill(context)).isEqualTo(ONE_CALL);
                });
    }

    /** Answers at once. */
    static class Fixed implements ChatModel {
        @Override
        public ChatResponse chat(ChatRequest request) {
            return ChatResponse.builder()
                    .aiMessage(AiMessage.from("Because."))
                    .modelName("gpt-4o")
                    .tokenUsage(new TokenUsage(10, 5))
                    .build();
        }
    }

    /** Passes on to another. */
    static class Logging implements ChatModel {
        private final ChatModel next;

        Logging(ChatModel next) {
            this.next = next;
        }

        @Override
        public ChatResponse chat(ChatRequest request) {
            return next.chat(request);
        }
    }

    /** Asks two others in turn, and answers as the second does. */
    static class Twice extends Logging {
        Twice(ChatModel next) {
            super(next);
        }

        @Override
        public ChatResponse chat(ChatRequest request) {
            super.chat(request);
            return super.chat(request);
        }
    }

    @Test
    void modelsThatStandBeforeOthers_areNotChargedOnTop() {
        application.withBean("fixed", ChatModel.class, Fixed::new).run(context -> {
            GuardedModels models = context.getBean(GuardedModels.class);
            ChatModel model = models.guarded(new Logging(context.getBean(ChatModel.class)));
            context.getBean(Guard.class).ask(model::chat);
            assertThat(bill(context)).isEqualTo(ONE_CALL);
        });
    }

    /** What stands before it knows neither its name nor how often it tries. */
    @Test
    void modelBehindAnother_isAskedForByItself() {
        remote.answers(says("Because.", used(10, 0, 5)));
        application
                .withPropertyValues("guardedby.breakers.llm.budgets.all.usd=0.002")
                .withBean(
                        "unpriced",
                        OpenAiChatModel.class,
                        () -> remote.model("unheard-of").build())
                .withBean(
                        "dear",
                        OpenAiChatModel.class,
                        () -> remote.model("gpt-4o").maxRetries(2).build())
                .withBean(
                        "fit",
                        OpenAiChatModel.class,
                        () -> remote.model("gpt-4o").build())
                .run(context -> {
                    GuardedModels models = context.getBean(GuardedModels.class);
                    Guard guard = context.getBean(Guard.class);
                    List<String> refused = new ArrayList<>();
                    for (String name : List.of("unpriced", "dear", "fit")) {
                        ChatModel model = models.guarded(new Logging(context.getBean(name, ChatModel.class)));
                        try {
                            guard.ask(model::chat);
                        } catch (BudgetExceededException refusal) {
                            refused.add(name + " " + refusal.kind());
                        }
                    }
                    assertThat(refused).containsExactly("unpriced UNPRICED", "dear TOO_LARGE");
                    assertThat(remote.requests()).hasSize(1);
                    assertThat(budget(context)).isEqualTo("0.000075 spent, 0 held");
                });
    }

    @Test
    void modelThatAsksAnotherTwice_isChargedForBoth() {
        application.withBean("fixed", ChatModel.class, Fixed::new).run(context -> {
            GuardedModels models = context.getBean(GuardedModels.class);
            ChatModel model = models.guarded(new Twice(context.getBean(ChatModel.class)));
            context.getBean(Guard.class).ask(model::chat);
            assertThat(bill(context)).isEqualTo("20 in, 10 out, 0.00015 usd");
        });
    }

    static final class Final extends Fixed {}

    static sealed class Sealed extends Fixed permits Heir {}

    static final class Heir extends Sealed {}

    static class FinalMethod extends Fixed {
        public final String version() {
            return "1";
        }
    }

    static List<ChatModel> modelsThatHaveNoSubclasses() {
        return List.of(new Final(), new Sealed(), new FinalMethod());
    }

    @ParameterizedTest
    @MethodSource("modelsThatHaveNoSubclasses")
    void modelThatCannotHaveASubclass_staysAsItIs_andTheLogSaysWhatToDo(ChatModel original, CapturedOutput output) {
        application.withBean("special", ChatModel.class, () -> original).run(context -> {
            ChatModel model = context.getBean(ChatModel.class);
            assertThat(model).isSameAs(original);
            assertThat(output).containsOnlyOnce("Calls of the model 'special'").contains("GuardedModels.guarded(..)");
            context.getBean(Guard.class).ask(model::chat);
            assertThat(bill(context)).isEqualTo("0 in, 0 out, 0 usd");
            context.getBean(Guard.class)
                    .ask(context.getBean(GuardedModels.class).guarded(model)::chat);
            assertThat(bill(context)).isEqualTo(ONE_CALL);
        });
    }

    @Test
    void somebodyElsesProxy_isGuardedByItsInterfaces() {
        ChatModel proxy = (ChatModel) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {ChatModel.class}, (self, method, arguments) -> {
                    Fixed fixed = new Fixed();
                    return method.invoke(fixed, arguments);
                });
        application.withBean("proxy", ChatModel.class, () -> proxy).run(context -> {
            ChatModel model = context.getBean(ChatModel.class);
            context.getBean(Guard.class)
                    .ask(question ->
                            model.chat(UserMessage.from(question)).aiMessage().text());
            assertThat(bill(context)).isEqualTo(ONE_CALL);
        });
    }

    static class OfTenants extends Fixed {
        public String chat(String tenant, String question) {
            return tenant + ": " + chat(question);
        }
    }

    @Test
    void methodOfTheSameName_isNoCallOfAModel() {
        application.withBean(OfTenants.class).run(context -> {
            OfTenants model = context.getBean(OfTenants.class);
            assertThat(context.getBean(Guard.class).ask(question -> model.chat("acme", question)))
                    .isEqualTo("acme: Because.");
            assertThat(budget(context)).isEqualTo("0 spent, 0 held");
        });
    }

    /** As the fake of a test may be. */
    static class ShorthandAlone implements ChatModel {
        @Override
        public String chat(String userMessage) {
            return "Canned.";
        }
    }

    @Test
    void modelThatOnlyKnowsAShorthand_answersAsBefore() {
        application.withBean("shorthand", ChatModel.class, ShorthandAlone::new).run(context -> {
            ChatModel model = context.getBean(ChatModel.class);
            assertThat(context.getBean(Guard.class).ask(model::chat)).isEqualTo("Canned.");
        });
    }

    @Configuration(proxyBeanMethods = false)
    @Import(GuardedByLangChain4jAutoConfiguration.class)
    static class Chat {
        @Bean
        OpenAiChatModel model() {
            return OpenAiChatModel.builder().apiKey("key").build();
        }

        @Bean
        ChatModel declaredByInterface() {
            return new Final();
        }
    }

    @Test
    void aheadOfTime_theProxiesOfBeansAreMade_andNativeImagesKnowThoseMadeInCode() {
        DefaultGenerationContext generation = new DefaultGenerationContext(
                new ClassNameGenerator(ClassName.get(BeansOfLangChain4jTest.class)), new InMemoryGeneratedFiles());
        try (AnnotationConfigApplicationContext context = new AnnotationConfigApplicationContext()) {
            context.register(Chat.class);
            new ApplicationContextAotGenerator().processAheadOfTime(context, generation);
        }
        assertThat(generation.getRuntimeHints().reflection().typeHints())
                .anyMatch(hint ->
                        hint.getType().getName().startsWith(OpenAiChatModel.class.getName() + "$$SpringCGLIB$$"));
        assertThat(generation.getRuntimeHints())
                .matches(RuntimeHintsPredicates.proxies()
                        .forInterfaces(AopProxyUtils.completeJdkProxyInterfaces(ChatModel.class)))
                .matches(RuntimeHintsPredicates.proxies()
                        .forInterfaces(AopProxyUtils.completeJdkProxyInterfaces(StreamingChatModel.class)));
    }
}
