"""From the full feature space to a plane. t-SNE and UMAP run in a child process, which never imports torch."""
