// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/imap/driver/read_messages.hpp"

#include <utility>

namespace syncline::imap {
namespace {

constexpr std::uint64_t largest_collected_octets = std::uint64_t{256} << 10;
/// So much goes to the thread at once: a message alone is less work than to wake it.
constexpr std::size_t octets_a_batch = std::size_t{128} << 10;
constexpr std::size_t messages_a_batch = 64;
/// More than this is not held: the thread is behind, and this one reads as well.
constexpr std::size_t most_unread_octets = std::size_t{1} << 20;

Result<ReadItem> read_one(const ReadTerms& terms, const FetchReply& reply, std::string_view octets) {
  ItemReader reader(terms, reply.sections.front().name, octets.size());
  if (auto fed = reader.feed(octets); !fed) return fail(std::move(fed.error()));
  return reader.finish(reply);
}

}  // namespace

ReadMessages::ReadMessages(ReadTerms terms, Take take, std::shared_ptr<auth::BlockingPool> thread)
    : terms_(std::make_shared<const ReadTerms>(std::move(terms))),
      take_(std::move(take)),
      thread_(std::move(thread)),
      unread_octets_(std::make_shared<std::atomic<std::size_t>>(0)) {}

void ReadMessages::Batch::read() {
  outcomes.reserve(messages.size());
  for (Arrived& message : messages) {
    outcomes.push_back(read_one(*terms, message.reply, message.octets));
    unread_octets->fetch_sub(std::exchange(message.octets, {}).size());
  }
}

void ReadMessages::begin_message(std::string_view section, std::uint64_t octets) {
  reader_.reset();
  collected_.reset();
  if (thread_ && octets <= largest_collected_octets && *unread_octets_ <= most_unread_octets)
    collected_.emplace().reserve(static_cast<std::size_t>(octets));
  else
    reader_.emplace(*terms_, section, octets);
}

Result<void> ReadMessages::on_literal_start(const StreamedLiteral& literal) {
  begin_message(literal.section, literal.octets);
  return {};
}

Result<void> ReadMessages::on_literal_data(std::string_view data) {
  if (reader_) return reader_->feed(data);
  *collected_ += data;
  return {};
}

Result<void> ReadMessages::on_reply(Reply& reply) {
  auto* fetch = std::get_if<FetchReply>(&reply);
  if (fetch == nullptr) return {};
  // Flags that changed meanwhile come without sections: the next pull tells of them.
  if (fetch->sections.empty() || fetch->uid == 0) {
    reader_.reset();
    collected_.reset();
    return {};
  }
  const FetchedSection& section = fetch->sections.front();
  if (!section.streamed) {
    if (!section.value) {
      items_.insert_or_assign(
          fetch->uid, fail(ErrorDomain::mail, "no-content", "the IMAP server has no content for the message",
                           RetryClass::quarantine));
      return {};
    }
    begin_message(section.name, section.value->size());
    if (auto fed = on_literal_data(*section.value); !fed) return fed;
  }
  return end_message(*fetch);
}

Result<void> ReadMessages::end_message(FetchReply& reply) {
  if (reader_) {
    auto read = reader_->finish(reply);
    reader_.reset();
    return take(std::move(read));
  }
  if (!collected_) return {};
  if (!batch_) batch_ = std::make_shared<Batch>(Batch{.terms = terms_, .unread_octets = unread_octets_});
  batch_->octets += collected_->size();
  batch_->messages.push_back({.reply = std::move(reply), .octets = *std::exchange(collected_, std::nullopt)});
  if (batch_->octets >= octets_a_batch || batch_->messages.size() >= messages_a_batch) hand_over();
  return {};
}

Result<void> ReadMessages::take(Result<ReadItem> read) {
  if (!read) return fail(std::move(read.error()));
  if (read->kept) take_(read->item.ref.id, std::move(*read->kept));
  items_.insert_or_assign(read->uid, std::move(read->item));
  return {};
}

void ReadMessages::hand_over() {
  unread_octets_->fetch_add(batch_->octets);
  thread_->post([batch = batch_] { batch->read(); });
  handed_over_.push_back(std::exchange(batch_, nullptr));
}

Async<void> ReadMessages::settle() {
  if (batch_) hand_over();
  if (handed_over_.empty()) co_return Result<void>{};
  // One thread: this comes after all that was handed over.
  auto waited = co_await thread_->run([]() -> Result<void> { return {}; });
  if (!waited) co_return waited;
  for (const std::shared_ptr<Batch>& batch : std::exchange(handed_over_, {}))
    for (Result<ReadItem>& read : batch->outcomes)
      if (auto taken = take(std::move(read)); !taken) co_return taken;
  co_return Result<void>{};
}

}  // namespace syncline::imap
