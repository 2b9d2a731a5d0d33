// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What a reader makes of octets, as text that can be compared: the same for every way of cutting them.
#include <string>
#include <string_view>

#include "routing/imap/reply_reader.hpp"

namespace syncline::imap::testing {

inline std::string join(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ",") + word;
  return text;
}

struct Describe {
  std::string operator()(const OtherReply& reply) const { return "other " + reply.name; }
  std::string operator()(const StatusReply& reply) const {
    return "status " + reply.tag + " " + std::string(to_string(reply.condition)) + " [" + reply.code.name +
           "|" + reply.code.arguments + "] " + reply.text;
  }
  std::string operator()(const ContinuationReply& reply) const { return "continue " + reply.text; }
  std::string operator()(const CapabilityReply& reply) const { return "capability " + join(reply.names); }
  std::string operator()(const EnabledReply& reply) const { return "enabled " + join(reply.names); }
  std::string operator()(const ListReply& reply) const {
    return std::string(reply.subscribed_only ? "lsub " : "list ") + join(reply.attributes) + " " +
           std::string(1, reply.delimiter == '\0' ? '-' : reply.delimiter) + " " + reply.name;
  }
  std::string operator()(const MailboxStatusReply& reply) const {
    std::string text = "mailbox " + reply.name;
    for (const auto& [name, value] : reply.items) text += " " + name + "=" + std::to_string(value);
    return text;
  }
  std::string operator()(const SearchReply& reply) const {
    return "search " + reply.numbers.to_string() + " " + std::to_string(reply.modseq);
  }
  std::string operator()(const EsearchReply& reply) const {
    return "esearch " + reply.tag + (reply.uid ? " uid " : " ") + reply.all.to_string() + " " +
           std::to_string(reply.count.value_or(0)) + " " + std::to_string(reply.modseq);
  }
  std::string operator()(const FlagsReply& reply) const { return "flags " + join(reply.flags); }
  std::string operator()(const ExistsReply& reply) const { return "exists " + std::to_string(reply.count); }
  std::string operator()(const ExpungeReply& reply) const {
    return "expunge " + std::to_string(reply.sequence);
  }
  std::string operator()(const VanishedReply& reply) const {
    return std::string("vanished ") + (reply.earlier ? "earlier " : "") + reply.uids.to_string();
  }
  std::string operator()(const FetchReply& reply) const {
    std::string text = "fetch " + std::to_string(reply.sequence) + " uid " + std::to_string(reply.uid);
    if (reply.flags) text += " flags " + join(*reply.flags);
    if (reply.modseq) text += " modseq " + std::to_string(*reply.modseq);
    if (reply.size) text += " size " + std::to_string(*reply.size);
    if (reply.internal_date)
      text += " date " + std::to_string(reply.internal_date->time_since_epoch().count() / 1000);
    if (reply.gmail_message_id) text += " gm " + std::to_string(*reply.gmail_message_id);
    if (reply.gmail_labels) text += " labels " + join(*reply.gmail_labels);
    if (!reply.email_id.empty()) text += " email " + reply.email_id;
    for (const FetchedSection& section : reply.sections)
      text += " " + section.name + (section.streamed ? " streamed" : "=" + section.value.value_or("NIL"));
    if (reply.structure)
      for (const BodyPart& part : reply.structure->parts)
        text += " part " + part.section + " " + part.type + "/" + part.subtype + " " +
                std::to_string(part.octets);
    if (reply.structure_unreadable) text += " structure?";
    return text;
  }
};

/// Everything up to the first error, which is the last line.
class Transcript {
 public:
  explicit Transcript(const Limits& limits = {}) : reader_(limits) {}

  void feed(std::string_view input) {
    while (!failed_) {
      auto step = reader_.next(input);
      if (!step) {
        text_ += "error " + step.error().code + "\n";
        failed_ = true;
        return;
      }
      switch (*step) {
        case ReplyReader::Step::need_more:
          return;
        case ReplyReader::Step::literal_start:
          text_ += "literal " + std::to_string(reader_.literal().sequence) + " uid " +
                   std::to_string(reader_.literal().uid) + " " + reader_.literal().section + " " +
                   std::to_string(reader_.literal().octets) + ": ";
          break;
        case ReplyReader::Step::literal_data:
          text_ += reader_.data();
          break;
        case ReplyReader::Step::literal_end:
          text_ += "\n";
          break;
        case ReplyReader::Step::reply:
          text_ += std::visit(Describe{}, reader_.reply()) + "\n";
          break;
      }
    }
  }
  const std::string& text() const { return text_; }
  bool failed() const { return failed_; }

 private:
  ReplyReader reader_;
  std::string text_;
  bool failed_ = false;
};

inline std::string read_all(std::string_view input, const Limits& limits = {}) {
  Transcript transcript(limits);
  transcript.feed(input);
  return transcript.text();
}

}  // namespace syncline::imap::testing
