// SPDX-License-Identifier: GPL-3.0-or-later
#include "ews/client/notifications.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <utility>

#include "base/log.hpp"
#include "ews/client/affinity.hpp"
#include "ews/client/busy.hpp"
#include "ews/codec/codec.hpp"
#include "ews/xml/envelope_cutter.hpp"
#include "net/event.hpp"

namespace syncline::ews {
namespace {

constexpr char key_separator = '\n';  // in neither an address nor an id
constexpr std::chrono::milliseconds longest_wait = std::chrono::minutes{5};
/// A connection is asked for for minutes.
constexpr std::chrono::milliseconds short_life = std::chrono::seconds{10};
constexpr std::chrono::milliseconds longest_parking = std::chrono::hours{4};
constexpr std::chrono::minutes shortest_life{1};  // of a subscription that was a good one

std::vector<EventKind> all_events() {
  return {EventKind::copied_event,   EventKind::created_event, EventKind::deleted_event,
          EventKind::modified_event, EventKind::moved_event,   EventKind::new_mail_event};
}

std::string key_of(const std::string& mailbox, const std::string& folder_id) {
  return mailbox + key_separator + folder_id;
}

}  // namespace

class NotificationStream::State {
 public:
  State(std::vector<StreamedMailbox> mailboxes, ChangeListener listener, StreamingSettings settings)
      : listener_(std::move(listener)),
        settings_(std::move(settings)),
        folding_(settings_.folding),
        anchor_(*mailboxes.front().client),
        environment_(anchor_.environment()),
        affinity_{.anchor_mailbox = mailboxes.front().mailbox},
        folded_(environment_.executor) {
    for (StreamedMailbox& one : mailboxes) {
      members_.push_back({.mailbox = std::move(one.mailbox), .client = one.client});
    }
  }

  net::Async<void> run() {
    using namespace boost::asio::experimental::awaitable_operators;
    auto ended = co_await (listen() || deliver());
    co_return std::visit([](auto& result) { return std::move(result); }, ended);
  }

  /// The coroutine keeps what it works on, also when the stream goes before the coroutine was cancelled.
  static net::Async<void> run_kept(std::shared_ptr<State> state) {
    auto ended = co_await state->run();
    co_return ended;
  }

  const StreamingStatus& status() const noexcept { return status_; }

  void forget(std::string_view mailbox) {
    // Somebody may be walking over the members.
    for (Member& member : members_)
      if (member.mailbox == mailbox) member.is_forgotten = true;
    status_.parked.erase(std::string(mailbox));
  }

 private:
  struct Member {
    std::string mailbox;
    EwsClient* client;
    std::string subscription_id = {};  ///< empty: none
    SteadyTime not_before = {};        ///< parked until then
    unsigned failures = 0;
    SteadyTime subscribed_at = {};
    unsigned short_lived = 0;  ///< subscriptions in a row that the server forgot soon after it gave them
    bool is_forgotten = false;
    bool is_heard = false;  ///< no event can have been missed since it last was told to be read
  };

  // Reads connection after connection.
  net::Async<void> listen() {
    unsigned failures = 0;
    for (;;) {
      std::erase_if(members_, [](const Member& member) { return member.is_forgotten; });
      if (members_.empty()) co_return Result<void>{};
      auto subscribed = co_await subscribe_all();
      if (!subscribed) co_return fail(std::move(subscribed.error()));
      if (!any_subscription()) {
        if (auto slept = co_await environment_.timers.sleep_until(next_attempt()); !slept) co_return slept;
        continue;
      }
      const std::uint64_t seen = status_.notifications + replies_;
      const SteadyTime began = environment_.clock.steady_now();
      auto ended = co_await read_connection();
      if (!ended || !is_ended_in_order_)
        for (Member& member : members_) set_heard(member, false);
      if (ended) {
        failures = environment_.clock.steady_now() - began < short_life ? failures + 1 : 0;
        // What ends at once (a proxy's answer, a server that shuts down) is not asked for at once again.
        if (failures > 0)
          if (auto slept = co_await sleep_with_jitter(std::min(default_back_off(failures), longest_wait));
              !slept)
            co_return slept;
        continue;
      }
      Error error = std::move(ended.error());
      if (error.code == "cancelled") co_return fail(std::move(error));
      if (error.retry == RetryClass::reauthenticate || error.retry == RetryClass::rediscover)
        co_return fail(std::move(error).during("listening for notifications"));
      // A connection that brought something was a good one, however it ended.
      failures = status_.notifications + replies_ == seen ? failures + 1 : 1;
      log::info(affinity_.anchor_mailbox, "notification stream ended: " + error.describe());
      const auto wait = error.retry_after.value_or(std::min(default_back_off(failures), longest_wait));
      if (auto slept = co_await sleep_with_jitter(wait); !slept) co_return slept;
    }
  }

  // Tells the listener what is due; wakes for new events and for the clock.
  net::Async<void> deliver() {
    using namespace boost::asio::experimental::awaitable_operators;
    for (;;) {
      const auto due = folding_.next_due();
      if (!due) {
        if (auto woken = co_await folded_.wait(); !woken) co_return woken;
        continue;
      }
      // Another event can only move this key later or bring a key that is due later than the longest delay of
      // this one.
      if (auto slept = co_await environment_.timers.sleep_until(*due); !slept) co_return slept;
      for (const std::string& key : folding_.take_due(environment_.clock.steady_now())) {
        const std::size_t cut = key.find(key_separator);
        listener_({.mailbox = key.substr(0, cut), .folder_id = key.substr(cut + 1)});
      }
    }
  }

  net::Async<void> subscribe_all() {
    Error last;
    bool permanent = true;
    for (Member& member : members_) {
      if (member.is_forgotten || !member.subscription_id.empty() ||
          environment_.clock.steady_now() < member.not_before)
        continue;
      // The others do not wait until the server is asked for this one again.
      if (const auto pause_end = member.client->budgets()->metrics().paused_until) {
        member.not_before = *pause_end;
        continue;
      }
      auto made = co_await subscribe(member);
      if (made) continue;
      if (made.error().code == "cancelled") co_return fail(std::move(made.error()));
      last = std::move(made.error());
      permanent = permanent && (last.retry == RetryClass::never || last.retry == RetryClass::reauthenticate ||
                                last.retry == RetryClass::rediscover);
    }
    const bool nobody =
        std::ranges::all_of(members_, [](const Member& m) { return m.subscription_id.empty(); });
    if (nobody && permanent && !last.code.empty()) co_return fail(std::move(last));
    co_return Result<void>{};
  }

  net::Async<void> subscribe(Member& member) {
    SubscribeRequest request{.folders = settings_.folders,
                             .all_folders = settings_.folders.empty(),
                             .events = all_events(),
                             .kind = StreamingSubscription{}};
    auto reply = co_await member.client->call(std::move(request), &affinity_);
    if (reply) {
      if (auto complete = reply->expect(1); !complete) reply = fail(complete.error());
    }
    Result<Subscription> made =
        reply ? std::move(reply->messages.front()).result() : fail(std::move(reply.error()));
    if (made) {
      member.subscription_id = std::move(made->id);
      member.failures = 0;
      member.subscribed_at = environment_.clock.steady_now();
      ++status_.subscriptions;
      status_.parked.erase(member.mailbox);
      co_return Result<void>{};
    }
    Error error = std::move(made.error()).during("subscribing to " + member.mailbox);
    ++member.failures;
    const auto wait =
        std::max(error.retry_after.value_or(std::chrono::milliseconds{0}), parking(member.failures));
    member.not_before = environment_.clock.steady_now() + wait;
    status_.parked.insert_or_assign(member.mailbox, error);
    co_return fail(std::move(error));
  }

  net::Async<void> read_connection() {
    is_ended_in_order_ = false;
    // The server keeps what happens until it may be asked again; they are polled meanwhile.
    if (anchor_.budgets()->metrics().paused_until)
      for (Member& member : members_) set_heard(member, false);
    auto permit = co_await anchor_.budgets()->acquire(OperationKind::hanging);
    if (!permit) co_return fail(std::move(permit.error()));
    GetStreamingEventsRequest ask{.subscription_ids = {},
                                  .connection_timeout_minutes = settings_.connection_minutes};
    for (const Member& member : members_) {
      if (!member.subscription_id.empty()) ask.subscription_ids.push_back(member.subscription_id);
    }
    auto envelope = codec::encode(ask, anchor_.soap_header());
    if (!envelope) co_return fail(std::move(envelope.error()));

    net::HttpRequest request = anchor_.http_request(GetStreamingEventsRequest::operation);
    request.body = std::make_shared<net::StringSource>(std::move(*envelope));
    affinity_.add_to(request.headers);
    net::HttpOptions options = anchor_.http_options();
    // Each stream keeps its connection for itself: a pool of one account's streams would have a limit.
    options.pool = "hanging " + affinity_.anchor_mailbox;
    const auto silence = settings_.heartbeat * 2;
    const auto life = std::chrono::minutes{settings_.connection_minutes} + silence;
    options.limits.first_octet = silence;
    options.limits.read_idle = silence;
    options.limits.total = std::chrono::duration_cast<std::chrono::milliseconds>(life);
    options.limits.body_octets = std::uint64_t{1}
                                 << 40;  // a stream has no end of its own; each envelope has its limit
    auto opened = co_await anchor_.http().open(std::move(request), std::move(options));
    if (!opened) co_return fail(std::move(opened.error()));
    net::HttpExchange& exchange = **opened;
    auto refused = co_await anchor_.refusal(GetStreamingEventsRequest::operation, exchange);
    if (!refused) co_return fail(std::move(refused.error()));
    if (*refused) co_return fail(std::move(**refused));
    ++status_.connections;
    affinity_.learn_from(exchange.headers());

    xml::EnvelopeCutter cutter;
    std::array<std::byte, 16 * 1024> buffer;
    for (;;) {
      auto got = co_await exchange.read_body(buffer, silence);
      if (!got) co_return fail(std::move(got.error()));
      if (*got == 0) {
        if (auto whole = cutter.finish(); !whole) co_return fail(std::move(whole.error()));
        // The server ended the reply without saying why: as after its timer.
        co_return Result<void>{};
      }
      status_.last_octet = environment_.clock.steady_now();
      auto cut = cutter.feed({reinterpret_cast<const char*>(buffer.data()), *got});
      while (const auto envelope_text = cutter.next()) {
        auto going_on = take(*envelope_text);
        if (!going_on) co_return fail(std::move(going_on.error()));
        if (!*going_on) co_return Result<void>{};
      }
      if (!cut) co_return fail(std::move(cut.error()));
      // Heartbeats are often enough to look after parked mailboxes; who can be subscribed joins by a new
      // connection.
      if (somebody_may_be_tried_again()) {
        const std::uint64_t before = status_.subscriptions;
        auto tried = co_await subscribe_all();
        if (!tried) co_return fail(std::move(tried.error()));
        if (status_.subscriptions != before) co_return Result<void>{};
      }
    }
  }

  // One envelope. False: the connection is over and a new one may be opened at once.
  Result<bool> take(const std::string& envelope) {
    auto reply = anchor_.read_reply<GetStreamingEventsRequest>(envelope);
    if (!reply) return fail(std::move(reply.error()));
    bool going_on = true;
    // Only with its first answer does the server tell us: what happened before must be read from the feeds
    // . It begins the same way when it refuses, for an anchor that is being moved for one.
    if (std::ranges::all_of(reply->messages, &ResponseMessage<StreamingEvents>::ok)) {
      ++replies_;
      announce_gaps();
    }
    for (const ResponseMessage<StreamingEvents>& message : reply->messages) {
      for (const Notification& notification : message.value.notifications) take(notification);
      for (const std::string& id : message.value.error_subscription_ids) {
        forget_subscription(id);
        going_on = false;
      }
      if (message.value.connection_status == ConnectionStatus::closed) {
        going_on = false;
        is_ended_in_order_ = true;
      }
      if (!message.ok() && message.value.error_subscription_ids.empty()) return fail(to_error(message));
    }
    return going_on;
  }

  void take(const Notification& notification) {
    const auto member = std::ranges::find(members_, notification.subscription_id, &Member::subscription_id);
    if (member == members_.end() || member->is_forgotten) return;
    const SteadyTime now = environment_.clock.steady_now();
    for (const Event& event : notification.events) {
      if (event.kind == EventKind::status_event) continue;
      ++status_.notifications;
      // A folder whose counters changed is no news for the folder above it.
      const bool only_itself = event.folder_id && event.kind == EventKind::modified_event;
      for (const auto* folder : {&event.folder_id, &event.parent_folder_id, &event.old_parent_folder_id}) {
        if (only_itself && folder != &event.folder_id) continue;
        if (folder->has_value() && !(*folder)->id.empty())
          folding_.add(key_of(member->mailbox, (*folder)->id), now);
      }
    }
    folded_.notify_all();
  }

  void forget_subscription(const std::string& id) {
    const auto member = std::ranges::find(members_, id, &Member::subscription_id);
    if (member == members_.end()) return;
    member->subscription_id.clear();
    set_heard(*member, false);
    // A new one is asked for at once, unless new ones do not last either.
    const SteadyTime now = environment_.clock.steady_now();
    member->short_lived = now - member->subscribed_at < shortest_life ? member->short_lived + 1 : 0;
    if (member->short_lived > 1) member->not_before = now + parking(member->short_lived - 1);
  }

  void set_heard(Member& member, bool is_heard) {
    if (std::exchange(member.is_heard, is_heard) != is_heard && !member.is_forgotten)
      settings_.on_hearing(member.mailbox, is_heard);
  }

  void announce_gaps() {
    const SteadyTime now = environment_.clock.steady_now();
    for (Member& member : members_) {
      if (member.subscription_id.empty() || member.is_heard || member.is_forgotten) continue;
      set_heard(member, true);
      folding_.add(key_of(member.mailbox, ""), now);
    }
    folded_.notify_all();
  }

  bool somebody_may_be_tried_again() const {
    const SteadyTime now = environment_.clock.steady_now();
    return std::ranges::any_of(members_, [&](const Member& m) {
      return m.subscription_id.empty() && m.not_before <= now && !m.is_forgotten;
    });
  }

  bool any_subscription() const {
    return std::ranges::any_of(members_, [](const Member& m) { return !m.subscription_id.empty(); });
  }

  SteadyTime next_attempt() const { return std::ranges::min(members_, {}, &Member::not_before).not_before; }

  static std::chrono::milliseconds parking(unsigned failures) {
    const std::chrono::milliseconds first = std::chrono::seconds{30};
    return std::min<std::chrono::milliseconds>(first * (1LL << std::min(failures - 1, 20u)), longest_parking);
  }

  net::Async<void> sleep_with_jitter(std::chrono::milliseconds wait) {
    const auto jitter = environment_.random.below(static_cast<std::uint64_t>(wait.count()) / 4 + 1);
    co_return co_await environment_.timers.sleep_until(environment_.clock.steady_now() + wait +
                                                       std::chrono::milliseconds{jitter});
  }

  ChangeListener listener_;
  StreamingSettings settings_;
  EventFolding folding_;
  EwsClient& anchor_;
  net::Environment& environment_;
  Affinity affinity_;
  net::Event folded_;
  std::vector<Member> members_;
  StreamingStatus status_;
  std::uint64_t replies_ = 0;
  bool is_ended_in_order_ = false;  ///< by the server's timer: the next connection misses nothing
};

NotificationStream::NotificationStream(std::vector<StreamedMailbox> mailboxes, ChangeListener listener,
                                       StreamingSettings settings)
    : state_(std::make_shared<State>(std::move(mailboxes), std::move(listener), std::move(settings))) {}

NotificationStream::~NotificationStream() = default;

net::Async<void> NotificationStream::run() {
  return State::run_kept(state_);
}

void NotificationStream::forget(std::string_view mailbox) {
  state_->forget(mailbox);
}

const StreamingStatus& NotificationStream::status() const noexcept {
  return state_->status();
}

}  // namespace syncline::ews
