// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/placement/requested_looks.hpp"

#include <algorithm>
#include <map>

#include "base/log.hpp"
#include "net/with_deadline.hpp"
#include "service/organisation/organisation.hpp"
#include "store/placements.hpp"

namespace syncline::service {

using store::Transaction;

RequestedLooks::RequestedLooks(net::Environment& environment, Organisation& organisation, Look look,
                               RequestedLooksSettings settings)
    : environment_(environment),
      organisation_(organisation),
      look_(std::move(look)),
      settings_(settings),
      changed_(environment.executor) {}

void RequestedLooks::wake() {
  changed_.notify_all();
}

void RequestedLooks::stop() {
  is_stopping_ = true;
  changed_.notify_all();
}

Async<void> RequestedLooks::run() {
  // After trouble one by one: it may come from one mailbox, which must not hold up the others for ever.
  std::size_t most = settings_.at_a_time;
  while (!is_stopping_) {
    const auto asked = next(most);
    if (!asked) {
      log::error("placement", asked.error().describe());
      co_await wait(settings_.after_trouble);
      continue;
    }
    if (asked->empty()) {
      most = settings_.at_a_time;
      co_await wait(std::nullopt);
      continue;
    }
    const store::LookRequest& request = asked->front().request;
    LookOrder order{.follow_moves = request.follow, .actor = {.who = request.by, .reason = request.reason}};
    for (const Waiting& one : *asked) order.addresses.push_back(one.address);
    auto results = co_await look_(std::move(order));
    if (!results) {
      log::error("placement", results.error().describe());
      if (asked->size() > 1) {
        most = 1;
        continue;
      }
      results = std::vector{PlacementResult{.address = asked->front().address,
                                            .text = "the look failed on our side; the log says why",
                                            .is_answered = true}};
    }
    if (const auto noted = note(*asked, *results); !noted) {
      log::error("placement", noted.error().describe());
      co_await wait(settings_.after_trouble);
    }
  }
  co_return Result<void>{};
}

net::asio::awaitable<void> RequestedLooks::wait(std::optional<std::chrono::milliseconds> most) {
  if (is_stopping_) co_return;
  if (!most) {
    static_cast<void>(co_await changed_.wait());
    co_return;
  }
  auto waiting = changed_.wait();
  Error late;
  const SteadyTime until = environment_.clock.steady_now() + *most;
  static_cast<void>(
      co_await net::with_deadline(environment_.timers, until, std::move(waiting), std::move(late)));
}

Result<std::vector<RequestedLooks::Waiting>> RequestedLooks::next(std::size_t most) {
  auto requested = organisation_.store().read<std::vector<store::Placement>>(
      [](Transaction& transaction) { return store::list_requested_placements(transaction); });
  if (!requested) return fail(std::move(requested.error()));
  std::vector<Waiting> asked;
  if (requested->empty()) return asked;
  auto stored = organisation_.load();
  if (!stored) return fail(std::move(stored.error()));
  std::map<store::MailboxId, std::string> addresses;
  for (const auto& [address, standing] : stored->mailboxes) addresses.emplace(standing.id, address);
  for (const store::Placement& placement : *requested) {
    const auto address = addresses.find(placement.mailbox);
    if (address == addresses.end()) continue;  // removed since, and its request with it
    const store::LookRequest& request = *placement.request;
    if (!asked.empty()) {
      const store::LookRequest& first = asked.front().request;
      if (request.by != first.by || request.reason != first.reason || request.follow != first.follow)
        continue;
    }
    asked.push_back({placement.mailbox, address->second, request});
    if (asked.size() == most) break;
  }
  return asked;
}

Result<void> RequestedLooks::note(const std::vector<Waiting>& asked,
                                  const std::vector<PlacementResult>& results) {
  for (const PlacementResult& result : results) log_look(result);
  return organisation_.store().write<void>([&](Transaction& transaction) -> Result<void> {
    for (const PlacementResult& result : results) {
      if (!result.is_answered) continue;
      const auto one = std::ranges::find(asked, result.address, &Waiting::address);
      auto placement = store::find_placement(transaction, one->mailbox);
      if (!placement) return fail(std::move(placement.error()));
      // Who has asked again meanwhile is answered again.
      if (!*placement || (*placement)->request != one->request) continue;
      (*placement)->request = std::nullopt;
      // A look that was made is in the store already.
      if (result.what == PlacementResult::What::not_asked) {
        (*placement)->state = result.what;
        (*placement)->text = result.text;
      }
      if (auto put = store::put_placement(transaction, **placement); !put) return put;
    }
    return {};
  });
}

}  // namespace syncline::service
