// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/rules/intake/exchange_rows.hpp"

#include <fmt/format.h>

#include <fstream>
#include <unordered_map>
#include <vector>

#include "base/text.hpp"
#include "routing/rules/assignment.hpp"
#include "routing/rules/intake/csv.hpp"
#include "routing/rules/intake/decoded.hpp"
#include "routing/rules/intake/exchange_facts.hpp"
#include "routing/rules/intake/field_text.hpp"
#include "routing/rules/intake/profile_file.hpp"

namespace syncline::rules {
namespace {

constexpr std::size_t kNoColumn = static_cast<std::size_t>(-1);
constexpr std::size_t kMaxTableRows = 1'000'000;

// A CSV file as PowerShell or a spreadsheet writes it.
class ExportedTable {
 public:
  explicit ExportedTable(std::string file)
      : file_(std::move(file)),
        raw_(file_, std::ios::binary),
        opened_(static_cast<bool>(raw_)),
        buffer_(raw_),
        decoded_(&buffer_),
        csv_(decoded_, {kMaxCellOctets, kMaxColumns}) {}

  const std::string& file() const noexcept { return file_; }
  const CsvReader& record() const noexcept { return csv_; }
  CsvReader& csv() noexcept { return csv_; }

  /// Reads the header; what is wrong with the file, or nothing.
  std::optional<InputProblem> open() {
    if (!opened_) return InputProblem{0, 0, "", "cannot be opened", true};
    csv_.skip_preamble();
    csv_.choose_separator();
    auto more = csv_.next();
    if (!more) return problem_of(more.error(), 0);
    if (!*more) return InputProblem{0, 0, "", "the file is empty: a header is expected", true};
    for (std::size_t i = 0; i < csv_.size(); ++i) {
      if (!text::is_valid_utf8(csv_.cell(i))) {
        return InputProblem{csv_.line(), 0, fmt::format("{}", i + 1),
                            "not valid UTF-8; export with -Encoding UTF8 or Unicode", true};
      }
      header_.emplace_back(text::trim(csv_.cell(i)));
    }
    return std::nullopt;
  }

  std::size_t column(std::string_view name) const noexcept {
    for (std::size_t i = 0; i < header_.size(); ++i) {
      if (text::equals_ignore_case(header_[i], name)) return i;
    }
    return kNoColumn;
  }
  std::optional<InputProblem> needs(std::string_view name) const {
    if (column(name) != kNoColumn) return std::nullopt;
    return InputProblem{1, 0, std::string{name}, "the column is missing", true};
  }
  const std::vector<std::string>& header() const noexcept { return header_; }

  std::string_view cell(std::size_t column) const noexcept {
    return column == kNoColumn ? std::string_view{} : csv_.cell(column);
  }

  /// Next record with as many cells as the header.
  expected<bool, InputProblem> next() {
    ++row_;
    auto more = csv_.next();
    if (!more) return unexpected<InputProblem>{problem_of(more.error(), row_)};
    if (!*more) return false;
    if (csv_.size() != header_.size()) {
      return unexpected<InputProblem>{
          {csv_.line(), row_, "",
           fmt::format("the row has {} cells, the header has {}", csv_.size(), header_.size()), false}};
    }
    return true;
  }
  std::uint64_t row() const noexcept { return row_; }

 private:
  InputProblem problem_of(const CsvReader::Problem& problem, std::uint64_t row) const {
    const std::string column =
        problem.column < header_.size() ? header_[problem.column] : fmt::format("{}", problem.column + 1);
    return {problem.line, row, column, problem.reason, problem.fatal || row == 0};
  }

  std::string file_;
  std::ifstream raw_;
  bool opened_;
  DecodingBuffer buffer_;
  std::istream decoded_;
  CsvReader csv_;
  std::vector<std::string> header_;
  std::uint64_t row_ = 0;
};

using Versions = std::unordered_map<std::string, Word>;

expected<Versions, std::string> read_servers(const std::string& file) {
  Versions versions;
  if (file.empty()) return versions;
  ExportedTable table{file};
  const auto wrong = [&](const InputProblem& problem) {
    return unexpected<std::string>{problem.describe(file)};
  };
  if (auto problem = table.open()) return wrong(*problem);
  for (const std::string_view name : {"Name", "AdminDisplayVersion"}) {
    if (auto problem = table.needs(name)) return wrong(*problem);
  }
  const std::size_t name = table.column("Name");
  const std::size_t fqdn = table.column("Fqdn");
  const std::size_t version = table.column("AdminDisplayVersion");
  for (;;) {
    auto more = table.next();
    if (!more) return wrong(more.error());
    if (!*more) return versions;
    if (versions.size() > kMaxTableRows) return wrong({0, 0, "", "too many servers", true});
    const auto word = exchange_version(table.cell(version));
    if (!word) continue;
    versions[text::to_lower_ascii(table.cell(name))] = *word;
    if (!table.cell(fqdn).empty()) versions[text::to_lower_ascii(table.cell(fqdn))] = *word;
  }
}

// One line of --map: the profile of a mailbox, and what else is known of it.
struct Mapping {
  std::uint64_t line = 0;
  std::string profile;
  FieldValues stated;
  bool used = false;
};
using Map = std::unordered_map<std::string, Mapping>;

expected<Map, std::string> read_map(const std::string& file) {
  Map map;
  if (file.empty()) return map;
  ExportedTable table{file};
  const auto wrong = [&](const InputProblem& problem) {
    return unexpected<std::string>{problem.describe(file)};
  };
  if (auto problem = table.open()) return wrong(*problem);
  for (const std::string_view name : {"mailbox", "profile"}) {
    if (auto problem = table.needs(name)) return wrong(*problem);
  }
  const std::size_t mailbox = table.column("mailbox");
  const std::size_t profile = table.column("profile");
  std::vector<std::optional<Field>> fields;
  for (std::size_t i = 0; i < table.header().size(); ++i) {
    fields.push_back(field_from(table.header()[i]));
    if (!fields.back() && i != mailbox && i != profile) {
      return wrong({1, 0, fmt::format("{}", i + 1), unknown_field(table.header()[i]), true});
    }
  }
  for (;;) {
    auto more = table.next();
    if (!more) return wrong(more.error());
    if (!*more) return map;
    if (map.size() > kMaxTableRows) return wrong({0, 0, "", "too many mailboxes", true});
    Mapping mapping;
    mapping.line = table.record().line();
    mapping.profile = std::string{table.cell(profile)};
    const auto at = [&](std::size_t column, std::string reason) {
      return wrong({mapping.line, table.row(), table.header()[column], std::move(reason), true});
    };
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (!text::is_valid_utf8(table.cell(i))) return at(i, "not valid UTF-8");
      if (!fields[i]) continue;
      if (auto reason = set_from_text(mapping.stated, *fields[i], table.cell(i)))
        return at(i, std::move(*reason));
    }
    const std::string address = text::to_lower_ascii(table.cell(mailbox));
    if (!map.emplace(address, std::move(mapping)).second) return at(mailbox, "the mailbox is mapped twice");
  }
}

class ExchangeRows : public RowReader {
 public:
  ExchangeRows(const ExchangeExport& files, Versions versions, ProfileFile profiles, Map map)
      : table_(files.mailboxes),
        map_file_(files.map),
        versions_(std::move(versions)),
        profiles_(std::move(profiles)),
        map_(std::move(map)) {}

  std::optional<InputProblem> open() {
    if (auto problem = table_.open()) return problem;
    for (const std::string_view name : {"PrimarySmtpAddress", "RecipientTypeDetails"}) {
      if (auto problem = table_.needs(name)) return problem;
    }
    address_ = table_.column("PrimarySmtpAddress");
    type_ = table_.column("RecipientTypeDetails");
    server_ = table_.column("ServerName");
    origin_ = table_.column("OriginatingServer");
    return std::nullopt;
  }

  expected<bool, InputProblem> next(InputRow& row) override {
    for (;;) {
      auto more = table_.next();
      if (!more) return unexpected<InputProblem>{std::move(more).error()};
      if (!*more) return next_unused_mapping();
      const auto meaning = recipient_meaning(table_.cell(type_));
      if (meaning && meaning->system) continue;
      row.number = table_.row();
      row.line = table_.record().line();
      row.id.reset();
      if (!meaning)
        return wrong(row, type_,
                     fmt::format("{} is not a known type of recipient", quoted(table_.cell(type_))));
      if (!text::is_valid_utf8(table_.cell(address_))) {
        return wrong(row, address_, "not valid UTF-8; export with -Encoding UTF8 or Unicode");
      }
      return fill(row, *meaning);
    }
  }

 private:
  unexpected<InputProblem> wrong(const InputRow& row, std::size_t column, std::string reason) const {
    return unexpected<InputProblem>{
        {row.line, row.number, table_.header()[column], std::move(reason), false}};
  }

  expected<bool, InputProblem> fill(InputRow& row, const RecipientMeaning& meaning) {
    const auto mapped = map_.find(text::to_lower_ascii(table_.cell(address_)));
    const ProfileFile::Profile* profile = nullptr;
    if (mapped != map_.end()) {
      mapped->second.used = true;
      profile = profiles_.named(mapped->second.profile);
      if (profile == nullptr && !mapped->second.profile.empty()) {
        return wrong(row, address_,
                     fmt::format("{}:{} maps it to the profile {}, which the profiles do not have",
                                 text::escape_for_display(map_file_), mapped->second.line,
                                 quoted(mapped->second.profile)));
      }
    } else {
      profile = profiles_.for_recipient_type(table_.cell(type_));
    }
    row.given = profile == nullptr ? profiles_.common : profile->values;
    row.given.set_text(Field::mbx_address, table_.cell(address_));
    row.given.set(Field::mbx_recipient_type, meaning.recipient_type);
    row.given.set(Field::mbx_kind, meaning.kind);
    row.given.set(Field::mbx_host, host(meaning));
    if (meaning.external_target) row.given.set(Field::mbx_external_target, Word::yes);
    if (const auto version = version_of(meaning, row.given))
      row.given.set(Field::mbx_exchange_version, *version);
    if (mapped != map_.end()) {
      for (const Field field : all_fields()) {
        if (!mapped->second.stated.is_empty(field)) row.given.copy(field, mapped->second.stated);
      }
    }
    return true;
  }

  // Get-Mailbox of Exchange Online uses the same types as that of a server; what answered tells them apart.
  Word host(const RecipientMeaning& meaning) const {
    const std::string origin = text::to_lower_ascii(text::trim(table_.cell(origin_)));
    if (meaning.host == Word::exchange_onprem && origin.ends_with(".outlook.com"))
      return Word::exchange_online;
    if (meaning.external_target) return host_from_address(table_.cell(address_));
    return meaning.host;
  }

  std::optional<Word> version_of(const RecipientMeaning& meaning, const FieldValues& given) const {
    if (!given.is(Field::mbx_host, Word::exchange_onprem)) return std::nullopt;
    if (meaning.version) return meaning.version;
    // The mailbox's own ExchangeVersion is that of its directory object, not of its server.
    const auto found = versions_.find(text::to_lower_ascii(text::trim(table_.cell(server_))));
    return found == versions_.end() ? std::nullopt : std::optional{found->second};
  }

  // What the map names and the export does not have would otherwise be lost without a word.
  expected<bool, InputProblem> next_unused_mapping() {
    for (auto& [address, mapping] : map_) {
      if (mapping.used) continue;
      mapping.used = true;
      return unexpected<InputProblem>{
          {0, 0, "",
           fmt::format("{}:{} maps {}, which the export does not have", text::escape_for_display(map_file_),
                       mapping.line, quoted(address)),
           false}};
    }
    return false;
  }

  ExportedTable table_;
  std::string map_file_;
  Versions versions_;
  ProfileFile profiles_;
  Map map_;
  std::size_t address_ = kNoColumn;
  std::size_t type_ = kNoColumn;
  std::size_t server_ = kNoColumn;
  std::size_t origin_ = kNoColumn;
};

}  // namespace

expected<std::unique_ptr<RowReader>, std::string> read_exchange_rows(const ExchangeExport& files) {
  std::ifstream profile_stream{files.profiles, std::ios::binary};
  if (!profile_stream) return unexpected<std::string>{files.profiles + ": cannot be opened"};
  auto profiles = read_profile_file(profile_stream);
  if (!profiles) return unexpected<std::string>{profiles.error().describe(files.profiles)};
  auto versions = read_servers(files.servers);
  if (!versions) return unexpected<std::string>{std::move(versions).error()};
  auto map = read_map(files.map);
  if (!map) return unexpected<std::string>{std::move(map).error()};
  auto rows =
      std::make_unique<ExchangeRows>(files, std::move(*versions), std::move(*profiles), std::move(*map));
  if (auto problem = rows->open()) return unexpected<std::string>{problem->describe(files.mailboxes)};
  return rows;
}

}  // namespace syncline::rules
