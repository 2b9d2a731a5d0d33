// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/engine/exchange_watch.hpp"

#include <algorithm>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <iterator>
#include <utility>

#include "base/log.hpp"
#include "ews/client/streaming_groups.hpp"
#include "net/cancel.hpp"

namespace syncline::service {
namespace {

namespace asio = net::asio;

/// Small streams of one group beyond so many are made one: mailboxes that came one by one.
constexpr std::size_t most_small_streams = 4;
constexpr std::size_t small_stream = ews::largest_streaming_group / 2;
constexpr std::chrono::milliseconds first_refusal = std::chrono::minutes(5);
constexpr std::chrono::milliseconds longest_refusal = std::chrono::hours(4);

}  // namespace

void ExchangeWatch::keep(Candidate candidate) {
  if (is_stopped_ || members_.contains(candidate.address)) return;
  if (streams_.size() >= settings_.most_connections) return;
  if (const auto refused = refusals_.find(candidate.address);
      refused != refusals_.end() && environment_.clock.steady_now() < refused->second.not_before)
    return;
  members_.emplace(candidate.address, nullptr);
  const std::string group = candidate.group;
  std::vector<Candidate>& waiting = gathered_[group];
  waiting.push_back(std::move(candidate));
  if (waiting.size() >= ews::largest_streaming_group) {
    start(group);
  } else if (waiting.size() == 1) {
    ++gathering_;
    asio::co_spawn(environment_.executor, gather(group), [this](const std::exception_ptr&) {
      --gathering_;
      ended_.notify_all();
    });
  }
}

asio::awaitable<void> ExchangeWatch::gather(std::string group) {
  const SteadyTime until = environment_.clock.steady_now() + settings_.gather;
  static_cast<void>(co_await environment_.timers.sleep_until(until));
  if (!is_stopped_) start(group);
}

void ExchangeWatch::start(const std::string& group) {
  const auto at = gathered_.find(group);
  if (at == gathered_.end()) return;
  std::vector<Candidate> candidates = std::move(at->second);
  gathered_.erase(at);

  std::vector<StreamPtr> small;
  for (const StreamPtr& stream : streams_)
    if (stream->group == group && !stream->is_dissolved && stream->candidates.size() < small_stream)
      small.push_back(stream);
  if (small.size() >= most_small_streams)
    for (const StreamPtr& stream : small) {
      if (candidates.size() + stream->candidates.size() > ews::largest_streaming_group) continue;
      candidates.insert(candidates.end(), stream->candidates.begin(), stream->candidates.end());
      // Until the new stream hears of them.
      for (const Candidate& one : stream->candidates) events_.watched(one.address, std::nullopt);
      dissolve(stream);
    }
  std::ranges::sort(candidates, {}, &Candidate::address);

  const auto stream = std::make_shared<Stream>();
  stream->group = group;
  stream->candidates = std::move(candidates);
  std::vector<ews::StreamedMailbox> mailboxes;
  for (const Candidate& one : stream->candidates) {
    stream->held.push_back(one.connections);
    stream->clients.push_back(
        std::make_unique<ews::EwsClient>(*one.environment, *one.http, one.budgets, one.client));
    mailboxes.push_back({.mailbox = one.address, .client = stream->clients.back().get()});
    members_[one.address] = stream;
  }
  ews::StreamingSettings settings;
  settings.on_hearing = [this, of = stream.get()](const std::string& address, bool is_heard) {
    if (of->is_dissolved) return;
    if (is_heard) refusals_.erase(address);
    events_.watched(address, is_heard ? std::optional(settings_.exchange_look_anyway) : std::nullopt);
  };
  auto changed = [this, of = stream.get()](ews::FolderChanged change) {
    if (!of->is_dissolved) events_.changed(change.mailbox);
  };
  stream->notifications = std::make_unique<ews::NotificationStream>(std::move(mailboxes), std::move(changed),
                                                                    std::move(settings));
  streams_.push_back(stream);
  asio::co_spawn(environment_.executor, listen(stream),
                 asio::bind_cancellation_slot(stream->cancel.slot(),
                                              [this, stream](const std::exception_ptr&) { ended(stream); }));
}

asio::awaitable<void> ExchangeWatch::listen(StreamPtr stream) {
  auto done = co_await stream->notifications->run();
  if (!done) stream->error = std::move(done.error());
}

void ExchangeWatch::ended(const StreamPtr& stream) {
  std::erase(streams_, stream);
  if (!stream->is_dissolved && !is_stopped_) {
    const bool refused = stream->error && stream->error->code != "cancelled";
    if (refused)
      log::warning(stream->candidates.front().address,
                   "notifications of " + std::to_string(stream->candidates.size()) +
                       " mailboxes have ended, they are polled: " + stream->error->describe());
    const SteadyTime now = environment_.clock.steady_now();
    for (const Candidate& one : stream->candidates) {
      const auto member = members_.find(one.address);
      if (member == members_.end() || member->second != stream) continue;
      members_.erase(member);
      if (refused) {
        Refusals& refusals = refusals_[one.address];
        const auto pause = std::min<std::chrono::milliseconds>(
            first_refusal * (1LL << std::min(refusals.in_a_row, 10u)), longest_refusal);
        ++refusals.in_a_row;
        refusals.not_before = now + pause;
      }
      events_.watched(one.address, std::nullopt);
    }
  }
  ended_.notify_all();
}

void ExchangeWatch::dissolve(const StreamPtr& stream) {
  if (std::exchange(stream->is_dissolved, true)) return;
  net::emit_cancellation(environment_.executor, stream->cancel, stream);
}

void ExchangeWatch::forget(const std::string& address) {
  refusals_.erase(address);
  const auto member = members_.find(address);
  if (member == members_.end()) return;
  const StreamPtr stream = member->second;
  members_.erase(member);
  const auto is_it = [&](const Candidate& one) { return one.address == address; };
  if (!stream) {
    for (auto& [_, waiting] : gathered_) std::erase_if(waiting, is_it);
    std::erase_if(gathered_, [](const auto& one) { return one.second.empty(); });
    return;
  }
  events_.watched(address, std::nullopt);
  if (stream->candidates.front().address != address) {
    stream->notifications->forget(address);
    std::erase_if(stream->candidates, is_it);
    return;
  }
  // The others need another anchor.
  std::vector<Candidate> others = stream->candidates;
  std::erase_if(others, is_it);
  dissolve(stream);
  for (Candidate& one : others) {
    members_.erase(one.address);
    events_.watched(one.address, std::nullopt);
    keep(std::move(one));
  }
}

Async<void> ExchangeWatch::stop() {
  is_stopped_ = true;
  gathered_.clear();
  members_.clear();
  for (const StreamPtr& stream : streams_) dissolve(stream);
  while (!streams_.empty() || gathering_ != 0)
    if (auto woken = co_await ended_.wait(); !woken) co_return woken;
  co_return Result<void>{};
}

}  // namespace syncline::service
