// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/serve_desk.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "base/log.hpp"

namespace syncline::cli {
namespace {

constexpr std::chrono::seconds alerts_pause{10};
/// A look reads every mailbox: among many thousands it is taken less often, for a third of a percent of a
/// core.
constexpr int pause_for_each_part_of_a_look = 300;

void log_test(const service::TesterProgress& progress) {
  if (progress.state == store::TestState::running) return;
  log::info(
      progress.address,
      progress.state == store::TestState::success
          ? std::string(progress.enabled ? "has passed its test, and is enabled" : "has passed its test")
          : fmt::format("has not passed its test{}", progress.next_try ? "; it is tried again" : ""));
}

}  // namespace

ServeDesk::ServeDesk(net::Environment& environment, service::Organisation& organisation,
                     service::PostAlert post, service::WakeSender wake, ServePlacement placement,
                     std::function<std::shared_ptr<service::Connections>()> connections,
                     std::function<std::vector<service::MailboxTurn>()> turns)
    : environment_(environment),
      tester_(environment.executor, environment, organisation, std::string(service::background_tester),
              {.beside = connections}, log_test),
      alerts_(organisation, {}, std::move(post), std::move(wake)),
      turns_(std::move(turns)),
      placement_(environment, organisation, service::PlacementWatchSettings::of_interval(placement.every),
                 [this, &organisation, connections,
                  follow = placement.follow_moves](std::vector<std::string> addresses) {
                   return service::look_for_mailboxes(environment_.executor, organisation,
                                                      {.addresses = std::move(addresses),
                                                       .at_once = service::PlacementWatchSettings{}.at_once,
                                                       .follow_moves = follow,
                                                       .connections = connections(),
                                                       .stop = placement_stop_},
                                                      {.who = std::string(service::background_tester)});
                 }),
      requested_looks_(environment, organisation,
                       [this, &organisation, connections = std::move(connections)](service::LookOrder order) {
                         return service::look_for_mailboxes(environment_.executor, organisation,
                                                            {.addresses = std::move(order.addresses),
                                                             .follow_moves = order.follow_moves,
                                                             .connections = connections(),
                                                             .stop = requested_stop_},
                                                            std::move(order.actor));
                       }),
      changed_(environment.executor) {}

net::asio::awaitable<void> ServeDesk::run() {
  net::asio::co_spawn(environment_.executor, watch_alerts(), net::asio::detached);
  net::asio::co_spawn(environment_.executor, watch_placement(), net::asio::detached);
  net::asio::co_spawn(environment_.executor, answer_look_requests(), net::asio::detached);
  if (const Result<void> tested = co_await tester_.serve(); !tested)
    log::error("tests", tested.error().describe());
  is_testing_ = false;
  changed_.notify_all();
}

net::asio::awaitable<void> ServeDesk::ended() {
  while (is_watching_ || is_testing_ || is_placing_ || is_answering_)
    if (auto woken = co_await changed_.wait(); !woken) break;
}

void ServeDesk::stop() {
  is_stopping_ = true;
  alerts_.stop();
  tester_.stop(true);
  placement_.stop();
  placement_stop_->want();
  requested_looks_.stop();
  requested_stop_->want();
}

net::asio::awaitable<void> ServeDesk::watch_placement() {
  if (const Result<void> watched = co_await placement_.run(); !watched)
    log::error("placement", watched.error().describe());
  is_placing_ = false;
  changed_.notify_all();
}

net::asio::awaitable<void> ServeDesk::answer_look_requests() {
  if (const Result<void> answered = co_await requested_looks_.run(); !answered)
    log::error("placement", answered.error().describe());
  is_answering_ = false;
  changed_.notify_all();
}

net::asio::awaitable<void> ServeDesk::watch_alerts() {
  SteadyTime next{};
  while (!is_stopping_) {
    if (const SteadyTime began = environment_.clock.steady_now(); began >= next) {
      Result<void> done = alerts_.look(turns_());
      const auto took = environment_.clock.steady_now() - began;
      if (done) done = co_await alerts_.deliver();
      if (!done) log::error("alerts", done.error().describe());
      next = environment_.clock.steady_now() +
             std::max<SteadyTime::duration>(alerts_pause, pause_for_each_part_of_a_look * took);
    }
    // Short, so that a stop does not wait for long.
    if (auto slept = co_await environment_.timers.sleep_until(environment_.clock.steady_now() +
                                                              std::chrono::milliseconds(500));
        !slept)
      break;
  }
  is_watching_ = false;
  changed_.notify_all();
}

}  // namespace syncline::cli
