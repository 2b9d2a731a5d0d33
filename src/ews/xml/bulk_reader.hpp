// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Reading GetItem and GetAttachment responses whose content must not be held: MIME and attachments are
// decoded as they arrive and handed on piece by piece, and what is left, the envelope without them, is small
// enough for the codec. The caller owns the waiting:
//
//   for each chunk of the body:
//     auto fed = reader.feed(chunk);
//     for (const ContentEvent& event : reader.events()) co_await …   // write event.octets to the sink of
//     event.place if (!fed) return …;
//   reader.finish(), the events again, then reader.take_envelope().
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/base64.hpp"
#include "base/error.hpp"
#include "ews/xml/limits.hpp"
#include "ews/xml/sax_reader.hpp"

namespace syncline::ews::xml {

/// Where in a response content is. Results are told by position: the id of an item comes after its MIME.
struct ContentPlace {
  enum class Kind { mime, attachment };
  Kind kind = Kind::mime;
  std::size_t message = 0;  ///< which response message, from 0
  std::size_t entry = 0;    ///< which item or attachment of that message, from 0
  std::size_t level = 0;  ///< 0 for the item or attachment itself, 1 for what is inside an attached item, …
  std::size_t number = 0;  ///< which content of the whole response, from 0
  bool operator==(const ContentPlace&) const = default;
};

struct ContentEvent {
  enum class Kind { begin, octets, end, failed };
  Kind kind = Kind::begin;
  ContentPlace place;
  std::string_view octets;          ///< decoded (Kind::octets); valid until the next call of the reader
  std::uint64_t size = 0;           ///< of all octets of this content (Kind::end)
  std::optional<Error> error = {};  ///< Kind::failed, which takes the place of end: "bad-base64", "too-large"
};

struct BulkLimits {
  Limits xml = {};
  std::uint64_t content_octets = std::uint64_t{1} << 30;    ///< of one decoded content
  std::uint64_t envelope_octets = std::uint64_t{64} << 20;  ///< of what is left for the codec
};

class BulkReader final : private SaxHandler {
 public:
  explicit BulkReader(BulkLimits limits = {});

  /// Octets of the response, cut anywhere. Errors: those of SaxReader::feed, "too-large" for the envelope.
  /// One content that cannot be decoded is an event, not an error: the others are read.
  Result<void> feed(std::string_view octets);
  Result<void> finish();
  /// What the last feed() or finish() brought, also when it failed.
  std::span<const ContentEvent> events() const noexcept { return events_; }

  /// After finish(): well-formed, clean UTF-8, the elements of content there but empty, comments gone.
  std::string take_envelope() { return std::move(envelope_); }
  std::uint64_t replaced() const noexcept { return sax_.replaced(); }

 private:
  enum class Role : std::uint8_t {
    other,
    response_messages,
    message,
    list,
    entry,
    attached_item,
    file_attachment
  };
  struct Open {
    std::uint32_t name_octets;  ///< of its name at the end of names_
    Role role;
  };

  Result<void> start_element(const StartTag& tag) override;
  Result<void> end_element() override;
  Result<void> text(std::string_view piece) override;

  Role role_of(const StartTag& tag);
  bool is_content(const StartTag& tag, Role parent) const noexcept;
  void begin_content(ContentPlace::Kind kind);
  void fail_content(Error error);
  void end_content();
  void put_tag(const StartTag& tag);
  void settle_events();

  BulkLimits limits_;
  SaxReader sax_;
  std::string envelope_;
  std::string names_;
  std::vector<Open> open_;
  std::vector<ContentEvent> events_;
  std::vector<std::size_t> event_starts_;  ///< in decoded_, for each event
  std::string decoded_;
  std::size_t messages_ = 0;  ///< begun so far
  std::size_t entries_ = 0;   ///< of the present message
  std::size_t level_ = 0;
  std::size_t contents_ = 0;
  bool in_entry_ = false;
  bool in_content_ = false;
  bool content_failed_ = false;
  std::size_t content_depth_ = 0;
  std::uint64_t content_size_ = 0;
  ContentPlace place_;
  Base64Decoder decoder_;
};

}  // namespace syncline::ews::xml
