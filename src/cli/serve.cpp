// SPDX-License-Identifier: GPL-3.0-or-later
// `syncline serve`: the daemon. SIGTERM and SIGINT end it when the runs at work have ended, a second one cuts
// them off; after SIGINT its status is 130. SIGHUP reads the configuration again. Tells systemd when it
// serves (sd_notify(3)).
#include <fmt/format.h>
#include <sys/resource.h>
#include <systemd/sd-daemon.h>

#include <CLI/CLI.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <optional>

#include "base/log.hpp"
#include "cli/organisation_command.hpp"
#include "cli/serve_desk.hpp"
#include "cli/serve_http.hpp"
#include "net/system_environment.hpp"
#include "service/control/control_server.hpp"
#include "service/control/daemon_control.hpp"
#include "service/daemon/daemon.hpp"
#include "service/engine/mailbox_engine.hpp"
#include "store/engine_lock.hpp"
#include "vault/hardening.hpp"

namespace syncline::cli {
namespace {

namespace asio = net::asio;

struct Options {
  ServeHttpOptions http;
  std::size_t at_once = 16;
  double discover_hours = 24;
  bool follow_moves = false;
  std::string log_format = "text";
  std::string log_level = "info";
};

ServePlacement placement_of(const Options& options) {
  const std::chrono::duration<double, std::ratio<3600>> every(options.discover_hours);
  return {.every = std::chrono::duration_cast<std::chrono::milliseconds>(every),
          .follow_moves = options.follow_moves};
}

/// "3 came, 1 went" of all kinds together.
std::string counts_of(const sync::MailboxSummary& summary) {
  std::uint64_t came = 0, went = 0;
  for (const sync::KindCounts& counts : summary.kinds) {
    came += counts.came + counts.changed_here + counts.removed_here;
    went += counts.went + counts.changed_there + counts.removed_there;
  }
  return fmt::format("{} came, {} went, {} requests", came, went, summary.requests);
}

/// Half of the descriptors that the process may have; the other half is for runs, the store and contents.
std::size_t connections_to_watch_with() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return service::WatchSettings{}.most_connections;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  getrlimit(RLIMIT_NOFILE, &limit);
  return static_cast<std::size_t>(std::min<rlim_t>(limit.rlim_cur / 2, 100'000));
}

class Serving {
 public:
  Serving(asio::io_context& context, service::Organisation& organisation, net::Environment& environment,
          ServeHttp& http, const Options& options)
      : context_(context),
        environment_(environment),
        http_(http),
        engine_(environment, organisation, std::make_shared<service::Connections>(context.get_executor()),
                watch_events(), {.most_connections = connections_to_watch_with()}),
        daemon_(environment, organisation, {.mailboxes_at_once = options.at_once}, work()),
        metrics_(daemon_, organisation.store(), [this] { return server_use(); }),
        control_(environment, organisation, daemon_, [this] { return server_trouble(); }),
        desk_(
            environment, organisation, http.post_alert(),
            [this](const std::string& address) { daemon_.wake(address); }, placement_of(options),
            [this] { return engine_.connections(); }, [this] { return daemon_.turns(); }),
        signals_(context, SIGINT, SIGTERM, SIGHUP) {}

  /// Connections under the organisation's present terms.
  Result<void> begin() { return engine_.begin(); }

  /// Where other commands ask.
  Result<void> listen_to_commands(const std::string& folder) {
    auto listening = service::ControlServer::listen(
        environment_, folder, [this](boost::json::object request, service::ControlChannel& channel) {
          return control_.handle(std::move(request), channel);
        });
    if (!listening) return fail(std::move(listening.error()));
    commands_ = std::move(*listening);
    return {};
  }

  Result<void> listen() {
    return http_.listen(
        daemon_, metrics_, [this] { return server_trouble(); }, [this] { desk_.look_for_requested(); });
  }

  Result<void> run() {
    wait_for_signal();
    std::optional<Result<void>> ended;
    asio::co_spawn(context_, serve(), [&](const std::exception_ptr& thrown, Result<void> result) {
      if (thrown) std::rethrow_exception(thrown);
      ended = std::move(result);
      signals_.cancel();
      context_.stop();
    });
    asio::co_spawn(context_, tell_systemd(), asio::detached);
    asio::co_spawn(context_, desk_.run(), asio::detached);
    asio::co_spawn(context_, http_.run(), asio::detached);
    context_.run();
    sd_notify(0, "STOPPING=1");
    return ended ? std::move(*ended) : Result<void>{};
  }

  /// By the terminal; a service manager sends SIGTERM.
  bool is_interrupted() const noexcept { return is_interrupted_; }

 private:
  net::Async<void> serve() {
    auto ended = co_await daemon_.run();
    http_.stop();
    if (commands_) commands_->stop();
    static_cast<void>(co_await engine_.stop());
    desk_.stop();
    co_await desk_.ended();
    co_return ended;
  }

  std::int64_t since(SteadyTime began) const {
    const auto took = environment_.clock.steady_now() - began;
    return std::chrono::duration_cast<std::chrono::milliseconds>(took).count();
  }

  service::WatchEvents watch_events() {
    return {.changed = [this](const std::string& address) { daemon_.wake(address); },
            .watched =
                [this](const std::string& address, std::optional<std::chrono::milliseconds> look_anyway) {
                  daemon_.watched(address, look_anyway);
                }};
  }

  /// As `status` says it.
  boost::json::object server_trouble() const {
    const service::Connections::Use use = engine_.use();
    return {{"requestsWaiting", use.waiting},
            {"throttledSeconds", std::chrono::duration<double>(use.throttled + daemon_.held_back()).count()}};
  }

  admin::ServerUse server_use() const {
    const service::Connections::Use use = engine_.use();
    const service::ServerTimes& times = engine_.server_times();
    return {.requests = use.requests - std::min(use.hanging, use.requests),
            .streams = engine_.streams(),
            .idle = engine_.kept_connections(),
            .waiting = use.waiting,
            .throttled = use.throttled + daemon_.held_back(),
            .answers = {{"ews", "read", times.ews.read},
                        {"ews", "sync", times.ews.sync},
                        {"ews", "write", times.ews.write},
                        {"imap", "command", times.imap},
                        {"pop3", "command", times.pop3},
                        {"smtp", "command", times.smtp}}};
  }

  service::Daemon::Work work() {
    service::Daemon::Work work;
    work.run = [this](const service::EnabledMailbox& mailbox) -> net::Async<sync::MailboxSummary> {
      service::MailboxOutcome outcome{.address = mailbox.address(), .summary = sync::MailboxSummary{}};
      service::RunWishes wishes = control_.wishes(outcome.address);
      const std::string name = std::to_string(++runs_);
      wishes.name = name;
      const SteadyTime began = environment_.clock.steady_now();
      auto ran = co_await engine_.run(mailbox, std::move(wishes), outcome);
      if (!ran) outcome.summary = fail(std::move(ran.error()));
      if (!outcome.summary) daemon_.count_work(outcome.before_error);
      control_.finished(outcome);
      const log::Ids ids{.mailbox = outcome.address, .run = name};
      if (outcome.summary)
        log::write(log::Level::info, ids,
                   fmt::format("done in {} ms: {}", since(began), counts_of(*outcome.summary)));
      else
        log::write(log::Level::warning, ids, "failed: " + outcome.summary.error().describe());
      co_return std::move(outcome.summary);
    };
    work.renew = [this](const std::vector<store::AuditEntry>& acts) {
      log::info("serve", "the configuration was read again");
      if (auto renewed = engine_.renew(acts); !renewed)
        log::error("serve", "nothing is connected: " + renewed.error().describe());
    };
    work.configured = [this](const std::vector<std::shared_ptr<const service::EnabledMailbox>>& mailboxes) {
      engine_.configured(mailboxes);
    };
    work.finished = [this](const std::string&, const Result<sync::MailboxSummary>&,
                           std::chrono::milliseconds took) { metrics_.run_times().add(took); };
    return work;
  }

  void wait_for_signal() {
    signals_.async_wait([this](const boost::system::error_code& failure, int signal) {
      if (failure) return;
      if (signal == SIGHUP) {
        sd_notify(0, "RELOADING=1");
        daemon_.reload();
        http_.reload();
        sd_notify(0, "READY=1");
      } else {
        log::info("serve", "stopping");
        sd_notify(0, "STOPPING=1");
        is_interrupted_ = is_interrupted_ || signal == SIGINT;
        desk_.stop();
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
  net::Environment& environment_;
  ServeHttp& http_;
  service::MailboxEngine engine_;
  service::Daemon daemon_;
  admin::Metrics metrics_;
  service::DaemonControl control_;
  ServeDesk desk_;
  asio::signal_set signals_;
  std::unique_ptr<service::ControlServer> commands_;
  bool is_interrupted_ = false;
  std::uint64_t runs_ = 0;  ///< their names in the log
};

ExitStatus run(const Globals& globals, const Options& options) {
  vault::forbid_memory_dumps();
  log::set_level(options.log_level == "debug" ? log::Level::debug : log::Level::info);
  if (options.log_format == "json") log::set_format(log::Format::json);
  auto organisation = open_organisation(globals, OpenFor::writing);
  if (!organisation) return report(organisation.error());
  auto lock = store::EngineLock::take((*organisation)->store().folder());
  if (!lock) return report(lock.error());

  asio::io_context context(1);
  auto system = net::system_environment(context.get_executor());
  if (!system) return report(system.error());
  auto http = ServeHttp::make((*system)->get(), **organisation, options.http);
  if (!http) return report(http.error());
  Serving serving(context, **organisation, (*system)->get(), **http, options);
  if (auto ready = serving.begin(); !ready) return report(ready.error());
  if (auto listening = serving.listen_to_commands((*organisation)->store().folder()); !listening)
    return report(listening.error());
  if (auto listening = serving.listen(); !listening) return report(listening.error());
  auto ended = serving.run();
  if (!ended) return report(ended.error());
  return serving.is_interrupted() ? ExitStatus::interrupted : ExitStatus::done;
}

}  // namespace

void add_serve(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("serve", "Keep all enabled mailboxes in step until it is stopped");
  auto options = std::make_shared<Options>();
  add_serve_http_options(*command, options->http);
  command->add_option("--at-once", options->at_once, "Mailboxes that run at the same time")
      ->check(CLI::Range(1, 300))
      ->capture_default_str();
  command
      ->add_option("--discover-every", options->discover_hours,
                   "Look where each mailbox on Exchange lives so often; 0: only when asked")
      ->type_name("HOURS")
      ->check(CLI::Range(0.0, 8760.0))
      ->capture_default_str();
  command->add_flag("--follow-moves", options->follow_moves,
                    "Give a mailbox that moved the one profile that fits, instead of parking it");
  command->add_option("--log-format", options->log_format, "text, or json: one object a line")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  command->add_option("--log-level", options->log_level, "info, or debug: each item, each request")
      ->check(CLI::IsMember({"info", "debug"}))
      ->capture_default_str();
  command->callback(
      [options, &action] { action = [options](const Globals& globals) { return run(globals, *options); }; });
}

}  // namespace syncline::cli
