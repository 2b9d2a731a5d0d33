// SPDX-License-Identifier: GPL-3.0-or-later
// The example exchanges of the reference, where they are there: operation, direction, codes and counts
// against what the manifest and the text itself say.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "base/text.hpp"
#include "ews/inspect/inspector.hpp"

namespace syncline::ews::inspect {
namespace {

namespace json = boost::json;
namespace fs = std::filesystem;

std::string slurp(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// RFC 4180 without line breaks inside fields.
std::vector<std::string> csv_fields(std::string_view line) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (const char c : line) {
    if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      fields.emplace_back();
    } else if (c != '\r') {
      fields.back() += c;
    }
  }
  return fields;
}

std::size_t count(std::string_view text, std::string_view what) {
  std::size_t found = 0;
  for (std::size_t at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1)) ++found;
  return found;
}

TEST(InspectExamples, AreUnderstoodAsTheirManifestSays) {
  const fs::path folder = fs::path(SYNCLINE_SOURCE_DIR) / ".." / "shared" / "reference" / "ews" / "examples";
  if (!fs::exists(folder / "manifest.csv")) GTEST_SKIP() << "SKIPPED: the example exchanges are not there";
  const std::string manifest = slurp(folder / "manifest.csv");
  const auto lines = text::split(manifest, '\n');
  std::size_t files = 0;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    if (text::trim(lines[i]).empty()) continue;
    const auto fields = csv_fields(lines[i]);
    ASSERT_GE(fields.size(), 8u);
    const std::string &file = fields[0], &operation = fields[2], &direction = fields[4],
                      &protocol = fields[6];
    SCOPED_TRACE(file);
    ++files;
    const std::string source = slurp(folder / file);
    const json::object told = inspect_file((folder / file).string(), inspect_limits());
    if (protocol == "autodiscover-pox") {
      EXPECT_EQ(told.at("error").at("code"), "not-soap");
      continue;
    }
    ASSERT_FALSE(told.contains("error")) << json::serialize(told);
    EXPECT_EQ(told.at("direction"), json::string(direction));
    std::set<std::string> codes;
    if (operation == "Fault") {
      EXPECT_TRUE(told.at("operation").is_null());
      codes.insert(std::string(told.at("fault").at("code").as_string()));
    } else {
      EXPECT_EQ(told.at("operation"), json::string(operation));
      EXPECT_TRUE(told.at("fault").is_null());
      for (const json::value& message : told.at("messages").as_array()) {
        codes.insert(std::string(message.at("code").as_string()));
      }
    }
    std::set<std::string> wanted;
    for (const auto& code : text::split(fields[7], ';')) {
      if (!code.empty()) wanted.emplace(code);
    }
    EXPECT_EQ(codes, wanted);
    if (protocol != "ews-soap" || operation == "Fault") continue;
    const json::array& messages = told.at("messages").as_array();
    EXPECT_EQ(messages.size(), count(source, "ResponseClass=\""));
    if (direction != "response") continue;
    // An item or folder of these answers is one id with nothing of the kind inside it.
    std::size_t told_ids = 0;
    for (const json::value& message : messages) {
      for (const std::string_view list : {"items", "folders", "changes"})
        told_ids += message.at(list).as_array().size();
    }
    if (operation.find("Events") != std::string::npos || operation.find("Attachment") != std::string::npos)
      continue;
    std::size_t ids = count(source, "<t:ItemId ") + count(source, "<t:FolderId ");
    for (const std::string_view inside : {"<t:FirstOccurrence>", "<t:LastOccurrence>"})
      ids -= count(source, inside);
    EXPECT_EQ(told_ids, ids);
  }
  EXPECT_EQ(files, 86u);
}

}  // namespace
}  // namespace syncline::ews::inspect
