// SPDX-License-Identifier: GPL-3.0-or-later
#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cstdio>
#include <string>
#include <vector>

#include "base/text.hpp"
#include "cli/command.hpp"
#include "mime/reader.hpp"

namespace syncline::cli {
namespace {

namespace json = boost::json;

/// null: the message has no such field.
json::value people_of(const std::optional<std::vector<mime::Mailbox>>& mailboxes) {
  if (!mailboxes) return nullptr;
  json::array people;
  for (const mime::Mailbox& one : *mailboxes) {
    json::object person;
    person["name"] = one.name.empty() ? json::value(nullptr) : json::value(one.name);
    person["address"] = one.address.empty() ? json::value(nullptr) : json::value(one.address);
    people.push_back(std::move(person));
  }
  return people;
}

json::value text_or_null(const std::optional<std::string>& text) {
  return text ? json::value(*text) : json::value(nullptr);
}
json::value text_or_null(const std::string& text) {
  return text.empty() ? json::value(nullptr) : json::value(text);
}
json::value body_of(const std::optional<mime::BodyText>& body) {
  return body ? json::value(body->value) : json::value(nullptr);
}

json::object told(const mime::Message& message) {
  json::object line;
  line["subject"] = text_or_null(message.subject);
  line["from"] = people_of(message.from);
  line["to"] = people_of(message.to);
  line["cc"] = people_of(message.cc);
  line["bcc"] = people_of(message.bcc);
  line["replyTo"] = people_of(message.reply_to);
  line["date"] = message.date ? json::value(mime::to_rfc3339(*message.date)) : json::value(nullptr);
  line["messageId"] = text_or_null(message.message_id);
  line["inReplyTo"] = text_or_null(message.in_reply_to);
  line["references"] = text_or_null(message.references);
  line["text"] = body_of(message.text);
  line["html"] = body_of(message.html);
  json::array attachments;
  for (const mime::Attachment& one : message.attachments) {
    json::object attachment;
    attachment["name"] = text_or_null(one.name);
    attachment["type"] = one.type;
    attachment["size"] = one.size;
    attachment["sha256"] = one.sha256;
    attachment["contentId"] = text_or_null(one.content_id);
    attachment["isInline"] = one.is_inline;
    attachments.push_back(std::move(attachment));
  }
  line["attachments"] = std::move(attachments);
  json::array defects;
  for (const mime::Defect defect : message.defects.list())
    defects.push_back(json::value(mime::to_string(defect)));
  line["defects"] = std::move(defects);
  return line;
}

json::object inspect_file(const std::string& path, bool& is_read) {
  json::object line;
  line["file"] = text::to_xml_text(path);
  auto source = mime::open_file(path);
  auto message =
      source ? mime::read_message(**source) : Result<mime::Message>(fail(std::move(source.error())));
  is_read = message.has_value();
  if (!message) {
    line["error"] =
        json::object{{"code", message.error().code}, {"message", message.error().message}, {"line", nullptr}};
    line["partial"] = nullptr;
    return line;
  }
  for (auto& [name, value] : told(*message)) line[name] = std::move(value);
  return line;
}

}  // namespace

void add_inspect_mime(CLI::App& inspect, Action& action) {
  CLI::App* command =
      inspect.add_subcommand("mime", "How files of one message each (RFC 5322) are understood");
  const auto files = std::make_shared<std::vector<std::string>>();
  command->add_option("FILE", *files, "Files to read; one line is printed for each")->required();
  command->callback([&action, files] {
    action = [files](const Globals&) {
      ExitStatus status = ExitStatus::done;
      for (const std::string& file : *files) {
        bool is_read = false;
        const std::string line = json::serialize(inspect_file(file, is_read)) + '\n';
        if (!is_read) status = ExitStatus::refused;
        if (std::fwrite(line.data(), 1, line.size(), stdout) != line.size()) return ExitStatus::local_trouble;
      }
      return std::fflush(stdout) == 0 ? status : ExitStatus::local_trouble;
    };
  });
}

}  // namespace syncline::cli
