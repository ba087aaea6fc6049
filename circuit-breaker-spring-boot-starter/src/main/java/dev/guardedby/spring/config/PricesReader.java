package dev.guardedby.spring.config;

import dev.guardedby.circuitbreaker.ModelPrice;
import dev.guardedby.circuitbreaker.PriceBook;
import dev.guardedby.circuitbreaker.ServiceTier;
import dev.guardedby.circuitbreaker.TokenKind;
import dev.guardedby.spring.config.GuardedByProperties.LongPrompt;
import dev.guardedby.spring.config.GuardedByProperties.Model;
import dev.guardedby.spring.config.GuardedByProperties.Prices;
import dev.guardedby.spring.config.GuardedByProperties.Tier;
import java.math.BigDecimal;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.bind.PropertySourcesPlaceholdersResolver;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.context.properties.source.ConfigurationPropertySource;
import org.springframework.boot.origin.Origin;
import org.springframework.core.env.ConfigurableEnvironment;

/** Reads what the application says under {@code guardedby.prices}, and refuses what cannot be a price. */
final class PricesReader {
    static final String PRICES = "prices";

    private static final ConfigurationPropertyName ROOT = Sources.ROOT.append(PRICES);

    private final Sources sources;

    private PricesReader(Sources sources) {
        this.sources = sources;
    }

    static ConfiguredPrices read(ConfigurableEnvironment environment, @Nullable ClassLoader classes) {
        Sources sources = Sources.of(environment);
        Prices written = new Values(new PropertySourcesPlaceholdersResolver(environment), classes)
                .bind(sources.all().stream().map(PricesReader::known).toList(), ROOT.toString(), Prices.class);
        return new ConfiguredPrices(
                written.importFrom(), written.unknown(), new PricesReader(sources).models(written.models()));
    }

    /** The binder refuses an element with an unknown key, and of those that the machine has we only warn. */
    private static ConfigurationPropertySource known(ConfigurationPropertySource source) {
        return source.filter(UnknownKeys::isKnown);
    }

    private List<ModelPrice> models(List<Model> written) {
        ConfigurationPropertyName list = ROOT.append("models");
        List<ModelPrice> models = new ArrayList<>();
        for (Model model : written) {
            models.add(model(list.append("[" + models.size() + "]"), model));
        }
        check(list, () -> PriceBook.of(models));
        return models;
    }

    private ModelPrice model(ConfigurationPropertyName at, Model written) {
        String name = written.model();
        if (name == null) {
            throw new BadConfigurationException(
                    Sources.written(at) + " needs model, but has none",
                    "Set " + Sources.written(at) + ".model to the name of the model.",
                    null);
        }
        check(at.append("model"), () -> ModelPrice.builder(name));
        ModelPrice.Builder model = ModelPrice.builder(name);
        for (String alias : written.aliases()) {
            check(at.append("aliases"), () -> model.alias(alias));
        }
        if (written.from() != null) {
            model.from(written.from().atStartOfDay(ZoneOffset.UTC).toInstant());
        }
        prices(at, written, model::price);
        tier(at, ServiceTier.BATCH, written.batch(), model);
        tier(at, ServiceTier.FLEX, written.flex(), model);
        tier(at, ServiceTier.PRIORITY, written.priority(), model);
        for (int i = 0; i < written.above().size(); i++) {
            above(at.append("above[" + i + "]"), written.above().get(i), model);
        }
        written.units()
                .forEach(
                        (unit, usd) -> check(at.append("units").append("[" + unit + "]"), () -> model.unit(unit, usd)));
        check(at, model::build);
        return model.build();
    }

    private void tier(
            ConfigurationPropertyName model, ServiceTier tier, @Nullable Tier written, ModelPrice.Builder prices) {
        if (written == null) {
            return;
        }
        ConfigurationPropertyName at = model.append(Values.shown(tier).toString());
        BigDecimal factor = written.factor();
        if (factor != null) {
            check(at.append("factor"), () -> prices.factor(tier, factor));
        }
        prices(at, written, (kind, usd) -> prices.price(tier, kind, usd));
    }

    private void above(ConfigurationPropertyName at, LongPrompt written, ModelPrice.Builder prices) {
        Long tokens = written.tokens();
        if (tokens == null || tokens < 1) {
            throw refused(at.append("tokens"), "must be at least 1, but was " + (tokens == null ? "not set" : tokens));
        }
        prices(at, written, (kind, usd) -> prices.priceAbove(tokens, ServiceTier.STANDARD, kind, usd));
    }

    private void prices(ConfigurationPropertyName at, Record written, BiConsumer<TokenKind, BigDecimal> prices) {
        Schema.keys(written.getClass()).forEach((key, component) -> {
            for (TokenKind kind : TokenKind.values()) {
                if (kind.key().equals(key) && Schema.value(written, component) instanceof BigDecimal usd) {
                    check(at.append(key), () -> prices.accept(kind, usd));
                }
            }
        });
    }

    /** Says a refusal of the core about the key as it was written. */
    private void check(ConfigurationPropertyName key, Runnable setting) {
        try {
            setting.run();
        } catch (IllegalArgumentException e) {
            String message = String.valueOf(e.getMessage());
            int rule = message.indexOf(" must ");
            throw refused(key, rule < 0 ? "is wrong: " + message : message.substring(rule + 1));
        }
    }

    private BadConfigurationException refused(ConfigurationPropertyName key, String broken) {
        String written = Sources.written(key);
        return new BadConfigurationException(
                written + " " + broken,
                "Correct " + written + "; prices are in US dollars for a million tokens, those of units for one.",
                Origin.from(sources.find(List.of(key))));
    }
}
