/*
 * corpus_main.c: runs a fuzz target over files, without a fuzzing engine: the arguments are files
 * and folders of files. Says how many there were; none at all is a failure.
 */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>

#define INPUT_MAX (1 << 20)

static int runs;

static void run_file(const char *path)
{
	static uint8_t bytes[INPUT_MAX];
	FILE *f = fopen(path, "rb");

	if (!f) {
		perror(path);
		exit(1);
	}
	size_t n = fread(bytes, 1, sizeof bytes, f);

	fclose(f);
	LLVMFuzzerTestOneInput(bytes, n);
	runs++;
}

static void run_folder(const char *path)
{
	DIR *folder = opendir(path);
	char file[4096];

	if (!folder) {
		perror(path);
		exit(1);
	}
	for (struct dirent *e = readdir(folder); e; e = readdir(folder)) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(file, sizeof file, "%s/%s", path, e->d_name);
		run_file(file);
	}
	closedir(folder);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		struct stat st;

		if (stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode))
			run_folder(argv[i]);
		else
			run_file(argv[i]);
	}
	printf("%d inputs\n", runs);
	return runs ? 0 : 1;
}
