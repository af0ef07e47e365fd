#include "base/dataset_choice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>

#include "base/dataset_name.h"

namespace maeil {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

class DatasetChoice : public testing::Test {
 protected:
  DatasetChoice()
      : folder_(fs::path(testing::TempDir()) /
                testing::UnitTest::GetInstance()->current_test_info()->name()) {
    fs::remove_all(folder_);
    fs::create_directories(folder_ / "datasets");
  }
  ~DatasetChoice() override { fs::remove_all(folder_); }

  void write(const std::string& name, const std::string& text) { std::ofstream(folder_ / name) << text; }
  Settings load(std::string_view dag = {}, std::map<std::string, std::string> environment = {}) {
    return load_settings(
               folder_,
               [&](const char* name) -> const char* {
                 const auto found = environment.find(name);
                 return found == environment.end() ? nullptr : found->second.c_str();
               },
               dataset_of_dag(dag))
        .value();
  }
  std::string refusal(std::string_view dag = {}, std::map<std::string, std::string> environment = {}) {
    const auto settings = load(dag, std::move(environment));
    EXPECT_EQ(settings.dataset, "");
    return settings.dataset_error ? settings.dataset_error->message : "accepted";
  }

  const fs::path folder_;
};

TEST_F(DatasetChoice, WithoutAnyTheBuiltInOneInTheFoldersOfTheSettings) {
  const auto settings = load();
  EXPECT_EQ(settings.dataset, kBuiltinDataset);
  EXPECT_EQ(settings.dataset_spec, "");
  EXPECT_EQ(settings.model_save_path, "./models");
  EXPECT_EQ(settings.data_path, "./data/raw/synthetic_data.csv");
}

TEST_F(DatasetChoice, EveryOtherHasFoldersOfItsOwn) {
  write("dataset.toml", "name = \"book\"\n[settings]\nEPOCHS = 3\n");
  const auto settings = load("", {{"DATA_DIR", "elsewhere"}});
  EXPECT_EQ(settings.dataset, "book");
  EXPECT_EQ(settings.epochs, 3);
  EXPECT_EQ(settings.model_save_path, "./models/book");
  EXPECT_EQ(settings.data_dir, "elsewhere/book");
  EXPECT_EQ(settings.data_path, "./data/raw/book/synthetic_data.csv");
}

TEST_F(DatasetChoice, OfSeveralOneIsNamedBySettingOrDag) {
  write("datasets/book.toml", "name = \"book\"\n[settings]\nSEED = 1\n");
  write("datasets/cards.toml", "name = \"cards\"\n[settings]\nSEED = 2\n");
  EXPECT_THAT(refusal(),
              AllOf(HasSubstr("which dataset?"), HasSubstr("book, cards"), HasSubstr("DATASET=book")));
  EXPECT_EQ(load("", {{"DATASET", "cards"}}).seed, 2);
  EXPECT_EQ(load("book__scoring_pipeline").seed, 1);
  EXPECT_EQ(load("book__scoring_pipeline", {{"DATASET", "cards"}}).dataset, "book")
      << "the DAG's name counts more";
  EXPECT_EQ(load("", {{"DATASET", "corporate_loan"}}).dataset, kBuiltinDataset);
  EXPECT_THAT(refusal("", {{"DATASET", "card"}}),
              AllOf(HasSubstr("no dataset 'card'"), HasSubstr("book, cards")));
  EXPECT_THAT(refusal("loans__scoring_pipeline"), HasSubstr("no dataset 'loans'"));
  EXPECT_THAT(refusal("", {{"DATASET", "../book"}}), HasSubstr("cannot be a dataset's name"));
  // dataset.toml is meant where nothing else is named, and is one of them
  write("dataset.toml", "name = \"mine\"\n");
  EXPECT_EQ(load().dataset, "mine");
  EXPECT_EQ(load("mine__scoring_pipeline").dataset, "mine");
  EXPECT_EQ(load("", {{"DATASET", "cards"}}).dataset, "cards");
  const std::string book = (folder_ / "datasets/book.toml").string();
  EXPECT_EQ(load("", {{"DATASET_SPEC", book}}).dataset, "book");
  EXPECT_EQ(load("cards__scoring_pipeline", {{"DATASET_SPEC", book}}).dataset, "cards");
  EXPECT_THAT(refusal("", {{"DATASET_SPEC", book}, {"DATASET", "cards"}}),
              HasSubstr("describes the dataset 'book'"));
}

TEST_F(DatasetChoice, ARenamedOneIsFoundByBothNamesAndRecordedUnderTheOld) {
  write("datasets/mortgages.toml", "name = \"mortgages\"\nrecorded_as = \"book\"\n");
  for (const char* name : {"mortgages", "book"}) EXPECT_EQ(load("", {{"DATASET", name}}).dataset, "book");
  EXPECT_EQ(load("book__scoring_pipeline").model_save_path, "./models/book");
  write("datasets/other.toml", "name = \"book\"\n");
  EXPECT_THAT(refusal("", {{"DATASET", "book"}}), HasSubstr("both describe the dataset 'book'"));
}

TEST_F(DatasetChoice, WhatIsWrongWithASpecIsSaidWithItsPlace) {
  write("dataset.toml", "name = \"book\"\nname = \"b\"\n");
  EXPECT_THAT(refusal(), HasSubstr("dataset.toml:2"));
  write("dataset.toml", "columns = []\n");
  EXPECT_THAT(refusal(), HasSubstr("has no name"));
  for (const char* name : {"a__b", "a/b", "..", "a b", "_a", "a\\\"", ""}) {
    write("dataset.toml", "name = \"" + std::string(name) + "\"\n");
    EXPECT_THAT(refusal(), testing::AnyOf(HasSubstr("cannot be a dataset's name"), HasSubstr("has no name")))
        << name;
  }
  write("dataset.toml", "name = \"대출-2\"\n");
  EXPECT_EQ(load().dataset, "대출-2");
  write("datasets/broken.toml", "name = ");
  EXPECT_THAT(refusal("", {{"DATASET", "broken"}}), HasSubstr("broken.toml:1"));
}

TEST(DatasetName, IsBeforeItsDags) {
  EXPECT_EQ(name_in_dataset("book", "d"), "book__d");
  EXPECT_EQ(name_in_dataset(kBuiltinDataset, "d"), "d");
  EXPECT_EQ(name_in_dataset("", "d"), "d");
  EXPECT_EQ(dataset_of_dag("book__d"), "book");
  EXPECT_EQ(dataset_of_dag("data_pipeline_dag"), "");
}

}  // namespace
}  // namespace maeil
