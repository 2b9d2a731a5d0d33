// SPDX-License-Identifier: GPL-3.0-or-later
// `syncline serve`: the daemon. SIGTERM and SIGINT end it when the runs at work have ended, a second one cuts
// them off; SIGHUP reads the configuration again. Tells systemd when it serves (sd_notify(3)).
#include <fmt/format.h>
#include <systemd/sd-daemon.h>

#include <CLI/CLI.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <optional>

#include "admin/admin_server.hpp"
#include "base/log.hpp"
#include "cli/organisation_command.hpp"
#include "net/system_environment.hpp"
#include "service/daemon/daemon.hpp"
#include "service/engine/mailbox_runner.hpp"
#include "store/engine_lock.hpp"
#include "vault/hardening.hpp"

namespace syncline::cli {
namespace {

namespace asio = net::asio;

struct Options {
  std::uint16_t port = 9464;
  bool no_http = false;
  std::size_t at_once = 16;
};

/// "3 came, 1 went" of all kinds together.
std::string counts_of(const sync::MailboxSummary& summary) {
  std::uint64_t came = 0, went = 0;
  for (const sync::KindCounts& counts : summary.kinds) {
    came += counts.came + counts.changed_here + counts.removed_here;
    went += counts.went + counts.changed_there + counts.removed_there;
  }
  return fmt::format("{} came, {} went, {} requests", came, went, summary.requests);
}

class Serving {
 public:
  Serving(asio::io_context& context, service::Organisation& organisation, net::Environment& environment,
          const Options& options)
      : context_(context),
        organisation_(organisation),
        environment_(environment),
        daemon_(environment, organisation, {.mailboxes_at_once = options.at_once}, work()),
        signals_(context, SIGINT, SIGTERM, SIGHUP) {}

  /// Connections under the organisation's present terms. What was made before ends with its runs.
  Result<void> connect_anew() {
    auto loaded = organisation_.load();
    if (!loaded) return fail(std::move(loaded.error()));
    auto connections = std::make_shared<service::Connections>(context_.get_executor());
    if (auto met = connections->require(loaded->configuration.organisation.environment); !met) return met;
    connections_ = std::move(connections);
    name_ = std::move(loaded->configuration.organisation.name);
    return {};
  }

  Result<void> listen(std::uint16_t port) {
    net::ListenOptions options{.port = port, .identity = std::nullopt, .limits = admin::admin_limits()};
    auto listening = net::listen_http(environment_, std::move(options),
                                      admin::admin_handler(environment_, daemon_, times_));
    if (!listening) return fail(std::move(listening.error()));
    http_ = std::move(*listening);
    log::info("serve", fmt::format("health and metrics on http://127.0.0.1:{}", http_->port()));
    // For whoever started it with port 0.
    std::printf("{\"http\":\"http://127.0.0.1:%u\"}\n", static_cast<unsigned>(http_->port()));
    std::fflush(stdout);
    return {};
  }

  Result<void> run() {
    wait_for_signal();
    std::optional<Result<void>> ended;
    asio::co_spawn(context_, daemon_.run(), [&](const std::exception_ptr& thrown, Result<void> result) {
      if (thrown) std::rethrow_exception(thrown);
      ended = std::move(result);
      signals_.cancel();
      if (http_) http_->stop();
      context_.stop();
    });
    asio::co_spawn(context_, tell_systemd(), asio::detached);
    context_.run();
    sd_notify(0, "STOPPING=1");
    return ended ? std::move(*ended) : Result<void>{};
  }

 private:
  service::Daemon::Work work() {
    service::Daemon::Work work;
    work.run = [this](const service::EnabledMailbox& mailbox) -> net::Async<sync::MailboxSummary> {
      if (refusal_) co_return fail(*refusal_);
      const std::shared_ptr<service::Connections> connections = connections_;
      service::MailboxRunner runner(organisation_, *connections, name_);
      service::MailboxOutcome outcome{.address = mailbox.address(), .summary = sync::MailboxSummary{}};
      service::RunWishes wishes{.settle = false};
      auto ran = co_await runner.run(mailbox, std::move(wishes), outcome);
      if (!ran) co_return fail(std::move(ran.error()));
      co_return std::move(outcome.summary);
    };
    work.renew = [this] {
      log::info("serve", "the configuration was read again");
      auto anew = connect_anew();
      refusal_ = anew ? std::nullopt : std::optional(anew.error());
    };
    work.finished = [this](const std::string& address, const Result<sync::MailboxSummary>& outcome,
                           std::chrono::milliseconds took) {
      times_.add(took);
      if (outcome)
        log::info(address, fmt::format("done in {} ms: {}", took.count(), counts_of(*outcome)));
      else
        log::warning(address, "failed: " + outcome.error().describe());
    };
    return work;
  }

  void wait_for_signal() {
    signals_.async_wait([this](const boost::system::error_code& failure, int signal) {
      if (failure) return;
      if (signal == SIGHUP) {
        sd_notify(0, "RELOADING=1");
        daemon_.reload();
        sd_notify(0, "READY=1");
      } else {
        log::info("serve", "stopping");
        sd_notify(0, "STOPPING=1");
        daemon_.stop();
      }
      wait_for_signal();
    });
  }

  /// READY once it serves; then a sign of life as often as systemd asks for, as long as it goes round.
  asio::awaitable<void> tell_systemd() {
    std::uint64_t watchdog_us = 0;
    sd_watchdog_enabled(0, &watchdog_us);
    const auto pause = watchdog_us != 0
                           ? std::chrono::milliseconds(std::max<std::uint64_t>(100, watchdog_us / 3000))
                           : std::chrono::milliseconds(1000);
    bool told = false;
    while (!daemon_.is_stopping()) {
      if (daemon_.is_ready() && !std::exchange(told, true)) {
        log::info("serve", "ready");
        sd_notify(0, "READY=1");
      }
      if (watchdog_us != 0 &&
          environment_.clock.steady_now() - daemon_.last_round() < std::chrono::minutes(1))
        sd_notify(0, "WATCHDOG=1");
      if (told && watchdog_us == 0) co_return;
      if (auto slept = co_await environment_.timers.sleep_until(environment_.clock.steady_now() + pause);
          !slept)
        co_return;
    }
  }

  asio::io_context& context_;
  service::Organisation& organisation_;
  std::string name_;
  net::Environment& environment_;
  std::shared_ptr<service::Connections> connections_;
  std::optional<Error> refusal_;  ///< why nothing may be connected
  admin::RunTimes times_;
  service::Daemon daemon_;
  asio::signal_set signals_;
  std::unique_ptr<net::HttpServer> http_;
};

ExitStatus run(const Globals& globals, const Options& options) {
  vault::forbid_memory_dumps();
  log::set_level(log::Level::info);
  auto organisation = open_organisation(globals, OpenFor::writing);
  if (!organisation) return report(organisation.error());
  auto lock = store::EngineLock::take((*organisation)->store().folder());
  if (!lock) return report(lock.error());

  asio::io_context context(1);
  auto system = net::system_environment(context.get_executor());
  if (!system) return report(system.error());
  Serving serving(context, **organisation, (*system)->get(), options);
  if (auto ready = serving.connect_anew(); !ready) return report(ready.error());
  if (!options.no_http)
    if (auto listening = serving.listen(options.port); !listening) return report(listening.error());
  auto ended = serving.run();
  return ended ? ExitStatus::done : report(ended.error());
}

}  // namespace

void add_serve(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("serve", "Keep all enabled mailboxes in step until it is stopped");
  auto options = std::make_shared<Options>();
  command
      ->add_option("--port", options->port,
                   "Health and metrics on 127.0.0.1:PORT; 0 chooses one and prints it")
      ->type_name("PORT")
      ->capture_default_str();
  command->add_flag("--no-http", options->no_http, "Neither health nor metrics");
  command->add_option("--at-once", options->at_once, "Mailboxes that run at the same time")
      ->check(CLI::Range(1, 300))
      ->capture_default_str();
  command->callback(
      [options, &action] { action = [options](const Globals& globals) { return run(globals, *options); }; });
}

}  // namespace syncline::cli
